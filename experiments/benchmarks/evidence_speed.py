"""Measure how long the evidence takes, from 1,500 images x 23 attributes to 100,000 x 40.

    python experiments/benchmarks/evidence_speed.py [--sizes 1500x23 1500x500 100000x40] [--repeats 3]

Prints a Markdown table: seconds (median of the repeats) and peak memory of the process so far, for one test
set and for 5 folds, with and without missing labels. A tenth of the images are copies of another. With
`--groups G` labels vary within groups of G images, so the clustered test is used. Goals on 2 cores: 1,500 x
23 in 1 s, 1,500 x 500 in 6 s, 100,000 x 40 in 15 s.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from aimonk.data.labels import MISSING
from aimonk.evaluation.evidence import weigh_evidence

SIZES = ("1500x23", "1500x500", "100000x40")


def draw(images: int, attributes: int, missing: float) -> tuple[np.ndarray, np.ndarray]:
    """Targets with prevalences from 2% to 60%, and scores that carry a little signal."""
    generator = np.random.default_rng(0)
    targets = (generator.random((images, attributes)) < np.linspace(0.02, 0.6, attributes)).astype(np.float32)
    scores = generator.normal(size=targets.shape) + 0.5 * targets
    targets[generator.random(targets.shape) < missing] = MISSING
    return targets, scores


def grouping(images: int, size: int) -> np.ndarray:
    """Groups of `size` images, or, with size 1, a tenth of the images in pairs."""
    groups = np.arange(images) // size
    if size == 1:
        groups[: images // 20] = groups[images // 20 : 2 * (images // 20)]
    return groups


def seconds(targets: np.ndarray, scores: np.ndarray, folds: int, size: int, repeats: int) -> float:
    """Median time of the repeats."""
    images, attributes = targets.shape
    groups = grouping(images, size)
    names = tuple(f"attribute {j}" for j in range(attributes))
    times = []
    for seed in range(repeats):
        began = time.perf_counter()
        weigh_evidence(targets, scores, names, groups, groups % folds if folds else None, seed=seed)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--groups", type=int, default=1)
    given = parser.parse_args()
    print("| images | attributes | missing | folds | seconds | peak memory, MB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for size in given.sizes:
        images, attributes = map(int, size.split("x"))
        for missing in (0.0, 0.08):
            drawn = draw(images, attributes, missing)
            for folds in (0, 5):
                taken = seconds(*drawn, folds, given.groups, given.repeats)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(
                    f"| {images:,} | {attributes} | {missing:.0%} | {folds} | {taken:.2f} | {peak:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
