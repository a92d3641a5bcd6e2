"""Measure how the time and memory of linear probes grow with the number of images.

    python experiments/benchmarks/probe_scale.py [--sizes 2000 20000 200000] [--features 1400]

Synthetic vectors, each attribute with a direction of its own, are written into a feature store. Every stage
then runs in a process of its own, so that its peak of resident memory is the operating system's figure:

- `table` builds the memory-mapped table from the parts,
- `open` opens and checks it,
- `fold` fits one of five folds on it, as `aimonk train` does by default,
- `folds` fits all five and scores the images that each left out,
- `refit` fits on every image.

The peak counts the pages of the table that are in the system's cache. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aimonk.config import TrainingConfig
from aimonk.features.feature_store import FeatureStore
from aimonk.features.image_vectors import ImageVectors
from aimonk.training.linear_probe.fit_probe import fit_probe

DRAW = "draw"
STAGES = ("table", "open", "fold", "folds", "refit")
FOLDS = 5
PART = 4096
"""Rows of a part of the store."""
MEGABYTE = 2**20


def digest(row: int) -> str:
    """What stands for the SHA-256 of an image."""
    return f"{row:064x}"


def draw(folder: Path, images: int, features: int, attributes: int) -> None:
    """Write the store's parts, and the labels, a tenth of them unknown."""
    random = np.random.default_rng(0)
    directions = random.normal(size=(features, attributes)).astype(np.float32) / features**0.5
    offsets = random.uniform(0.5, 2.0, attributes)  # of 31% to 2% positives
    store = FeatureStore(folder)
    targets = []
    for first in range(0, images, PART):
        rows = range(first, min(first + PART, images))
        vectors = random.normal(size=(len(rows), features)).astype(np.float32)
        scores = vectors @ directions + 0.5 * random.normal(size=(len(rows), attributes))
        labels = np.where(random.random(scores.shape) < 0.1, -1, scores > offsets)
        targets.append(labels.astype(np.float32))
        store.put([digest(row) for row in rows], ["plain"] * len(rows), vectors * 3 + 1)
    np.save(folder / "targets.npy", np.concatenate(targets))


def vectors_of(folder: Path, images: int) -> ImageVectors:
    """The vectors in the order of the images, where they lie in the table."""
    table = FeatureStore(folder).table()
    return ImageVectors(table.matrix, table.rows([digest(row) for row in range(images)], ["plain"]))


def fit_folds(vectors: ImageVectors, targets: np.ndarray, count: int) -> None:
    """Fit the first `count` of five folds, watching a part of the rest, and score what each left out."""
    order = np.random.default_rng(1).permutation(len(targets))
    for fold in range(count):
        test, rest = order[fold::FOLDS], np.delete(order, np.s_[fold::FOLDS])
        cut = round(0.15 * len(rest))
        head, _ = fit_probe(vectors, targets, np.sort(rest[cut:]), np.sort(rest[:cut]), TrainingConfig())
        for _, block in vectors.blocks(vectors.rows[0, np.sort(test)]):
            head.logits(block)


def run(stage: str, folder: Path, images: int) -> dict[str, float]:
    """Run a stage in this process; seconds and the peak of resident memory in bytes."""
    targets = np.load(folder / "targets.npy")
    stages: dict[str, Callable[[], object]] = {
        "table": lambda: vectors_of(folder, images),
        "open": lambda: vectors_of(folder, images),
    }
    if stage not in stages:
        vectors, everything = vectors_of(folder, images), np.arange(images)
        stages["fold"] = lambda: fit_folds(vectors, targets, 1)
        stages["folds"] = lambda: fit_folds(vectors, targets, FOLDS)
        stages["refit"] = lambda: fit_probe(vectors, targets, everything, everything[:0], TrainingConfig())
    begin = time.perf_counter()
    stages[stage]()
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def answer_of(stage: str, folder: Path, images: int, *more: str) -> dict[str, float]:
    """What a stage answers that is run in a process of its own."""
    command = [sys.executable, __file__, "--stage", stage, "--folder", str(folder), "--sizes", str(images)]
    done = subprocess.run([*command, *more], check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def compare(sizes: list[int], features: int, attributes: int, work: str | None) -> None:
    """Measure every stage at every size and print the table."""
    print("| images | stage | seconds | times the last size | peak, MB | beyond the table, MB |")
    print("|---:|:---|---:|---:|---:|---:|")
    last: dict[str, float] = {}
    for images in sizes:
        with tempfile.TemporaryDirectory(dir=work) as name:
            folder = Path(name)
            # In a process of its own: a process starts with the peak of the one that started it.
            answer_of(DRAW, folder, images, "--features", str(features), "--attributes", str(attributes))
            table = 4 * images * features
            for stage in STAGES:
                found = answer_of(stage, folder, images)
                growth = f"{found['seconds'] / last[stage]:.1f}" if stage in last else ""
                last[stage] = found["seconds"]
                peak, beyond = found["peak"] / MEGABYTE, (found["peak"] - table) / MEGABYTE
                memory = f"{peak:.0f}", f"{beyond:.0f}"
                cells = (f"{images:,}", stage, f"{found['seconds']:.2f}", growth, *memory)
                print("|", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Compare the stages, or run one in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 20_000, 200_000])
    parser.add_argument("--features", type=int, default=1_400)
    parser.add_argument("--attributes", type=int, default=40)
    parser.add_argument("--work", help="a folder with room for two tables; default: temporary files")
    parser.add_argument("--stage", choices=(DRAW, *STAGES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.stage == DRAW:
        draw(chosen.folder, chosen.sizes[0], chosen.features, chosen.attributes)
        print("{}")
    elif chosen.stage:
        print(json.dumps(run(chosen.stage, chosen.folder, chosen.sizes[0])))
    else:
        compare(chosen.sizes, chosen.features, chosen.attributes, chosen.work)


if __name__ == "__main__":
    main()
