"""Kill `aimonk score` at random moments, start it again, and compare the table with an uninterrupted one.

    python experiments/benchmarks/killed_scoring.py MODEL [--images 5000] [--kills 20] [--seed 0] [--data DIR]

MODEL is any URI or folder that `aimonk score` takes. Each call is ended by SIGKILL at a moment that is
uniform over the time that an uninterrupted one takes, so some die while they start, some in the middle and
some while the table is written. When a call ends before its kill, its table is compared and removed, and
the next call starts anew, until there were so many kills. The last call is left alone. The script ends with
1 unless all tables are equal to that of the uninterrupted scoring and nothing is left beside them.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from trials import SHARED, Place, copies, new_place, print_table


def start(place: Place, model: str, data: Path, out: Path) -> subprocess.Popen[bytes]:
    """One call of `aimonk score`."""
    command = [sys.executable, "-m", "aimonk", "score", "--model", model, "--data", str(data)]
    command += ["--out", str(out)]
    with (place.folder / "score.txt").open("ab") as log:
        return subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=log, stderr=log)


def killed(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a process after so many seconds; False if it ended before, which it must have done well."""
    try:
        status = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    if status:
        raise SystemExit(f"A scoring ended with {status} by itself.")
    return False


def measure(place: Place, given: argparse.Namespace) -> list[list[object]]:
    """Rows of the table."""
    data = copies(given.data, place.folder / "photos", given.images)
    whole, out = place.folder / "whole.parquet", place.folder / "scores.parquet"
    seconds = place.aimonk("score", "--model", given.model, "--data", data, "--out", whole).seconds
    expected = pq.read_table(whole)
    moments = random.Random(given.seed)
    kills = tables = wrong = half = 0
    while True:
        moment = moments.uniform(0, seconds) if kills < given.kills else 1e6
        if killed(start(place, given.model, data, out), moment):
            kills += 1
            half += out.exists()  # the table of a killed call must not be there
            print(f"kill {kills} of {given.kills} after {moment:.1f} s", file=sys.stderr, flush=True)
            continue
        tables += 1
        wrong += not pq.read_table(out).equals(expected)
        out.unlink()
        if kills == given.kills:
            break
    left = [path.name for path in place.folder.glob(".scores*")]
    return [
        ["images", len(expected), ""],
        ["seconds of an uninterrupted scoring", f"{seconds:.1f}", ""],
        ["kills", kills, given.kills],
        ["tables finished after kills", tables, ""],
        ["tables that differ", wrong, 0],
        ["tables there although the call was killed", half, 0],
        ["files left beside the table", len(left), 0],
    ]


def main() -> None:
    """Print the table; exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "clothing" / "images")
    given = parser.parse_args()
    given.model = str(Path(given.model).resolve()) if Path(given.model).is_dir() else given.model
    with new_place() as place:
        rows = measure(place, given)
    print_table(["what", "found", "goal"], rows)
    sys.exit(any(row[2] != "" and row[1] != row[2] for row in rows))


if __name__ == "__main__":
    main()
