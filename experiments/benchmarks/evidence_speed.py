"""Measure how long the evidence takes: 10,000 permutations and 2,000 bootstrap resamples, 23 attributes.

    python experiments/benchmarks/evidence_speed.py [--images 1500] [--attributes 23]

prints a Markdown table: seconds (median of 5) and peak memory of the process, for one test set and for
5 folds, with and without missing labels.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from aimonk.data.labels import MISSING
from aimonk.evaluation.evidence import weigh_evidence


def draw(images: int, attributes: int, missing: float) -> tuple[np.ndarray, np.ndarray]:
    """Targets with prevalences from 2% to 60%, and scores that know a little about them."""
    generator = np.random.default_rng(0)
    targets = (generator.random((images, attributes)) < np.linspace(0.02, 0.6, attributes)).astype(np.float32)
    scores = generator.normal(size=targets.shape) + 0.5 * targets
    targets[generator.random(targets.shape) < missing] = MISSING
    return targets, scores


def seconds(targets: np.ndarray, scores: np.ndarray, folds: int) -> float:
    """Median time of 5 calls; a tenth of the images are twins."""
    images, attributes = targets.shape
    groups = np.arange(images)
    groups[: images // 20] = groups[images // 20 : 2 * (images // 20)]
    names = tuple(f"attribute {j}" for j in range(attributes))
    times = []
    for seed in range(5):
        began = time.perf_counter()
        weigh_evidence(targets, scores, names, groups, groups % folds if folds else None, seed=seed)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--attributes", type=int, default=23)
    given = parser.parse_args()
    print("| images | attributes | missing | folds | seconds | peak memory, MB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for missing in (0.0, 0.08):
        for folds in (0, 5):
            taken = seconds(*draw(given.images, given.attributes, missing), folds)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"| {given.images} | {given.attributes} | {missing:.0%} | {folds} "
                f"| {taken:.2f} | {peak:.0f} |"
            )


if __name__ == "__main__":
    main()
