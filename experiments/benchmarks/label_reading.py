"""How long it takes to read a large labels file, and how much memory: python label_reading.py [--rows N].

Each format is written once and read in a process of its own, so that the peak of memory is that of reading
alone; what importing takes is measured first and shown beside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from aimonk.data.labels import read_labels

FORMATS = ("csv", "tsv", "txt", "tags.csv", "parquet", "jsonl", "xlsx")


def main() -> None:
    """Write a table in every format, read each one, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--attributes", type=int, default=40)
    parser.add_argument("--formats", nargs="*", default=FORMATS)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        print(json.dumps(_measure(given.read)))
        return
    print(f"{given.rows} rows x {given.attributes} attributes\n")
    print("| format | file, MB | seconds | peak memory, MB | of it imports, MB |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in given.formats:
            path = _written(Path(folder), name, given.rows, given.attributes)
            command = [sys.executable, __file__, "--read", str(path)]
            took = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            memory = f"{took['peak']:.0f} | {took['imports']:.0f}"
            print(f"| {name} | {path.stat().st_size / 1e6:.1f} | {took['seconds']:.2f} | {memory} |")
            path.unlink()


def _measure(path: Path) -> dict[str, float]:
    """Return seconds and peak megabytes of reading a file in this process."""
    before = _peak()
    started = time.perf_counter()
    table = read_labels(path)
    seconds = time.perf_counter() - started
    assert len(table.images) > 0
    return {"seconds": seconds, "peak": _peak(), "imports": before}


def _peak() -> float:
    """Return the most megabytes that this process has had; `getrusage` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def _written(folder: Path, name: str, rows: int, attributes: int) -> Path:
    """Write random labels, a tenth of them unknown, in one format."""
    generator = np.random.default_rng(0)
    tokens = generator.choice(["1", "0", "NA"], (rows, attributes), p=[0.3, 0.6, 0.1])
    images = [f"part{row % 100}/image_{row:07d}.jpg" for row in range(rows)]
    path = folder / f"labels.{name}"
    frame = pd.DataFrame(tokens, columns=[f"attribute {at}" for at in range(attributes)])
    frame.insert(0, "image", images)
    if name == "csv":
        frame.to_csv(path, index=False)
    elif name == "tsv":
        frame.to_csv(path, index=False, sep="\t")
    elif name == "txt":
        lines = (" ".join([image, *row]) for image, row in zip(images, tokens.tolist(), strict=True))
        path.write_text("\n".join(lines))
    elif name == "tags.csv":
        tags = [
            "|".join(f"tag {at}" for at in np.flatnonzero(row == "1")) or "none of them" for row in tokens
        ]
        pd.DataFrame({"image": images, "tags": tags}).to_csv(path, index=False)
    elif name == "parquet":
        frame.to_parquet(path, index=False)
    elif name == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_excel(path, index=False)
    return path


if __name__ == "__main__":
    main()
