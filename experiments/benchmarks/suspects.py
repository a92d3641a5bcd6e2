"""Measure how well wrong labels are found: flip 5% of them, and look for them by out-of-fold probabilities.

    python experiments/benchmarks/suspects.py [--share 0.05] [--repeats 5]

Of each attribute's known labels so large a share, drawn at random, is turned into its opposite, and a model
is trained on them as always. Prints precision at k = number of flips, overall and within each attribute, with
what a random order would have. Labels that were wrong before count as misses, so these are lower bounds.

Measured 2026-11-25: 0.66 overall, 0.41 (white) to 0.86 (pattern_graphics) by attribute; at random 0.05.
"""

from __future__ import annotations

import numpy as np
from relearning import Bench, arguments, flip, open_bench

from aimonk.data.labels import MISSING
from aimonk.evaluation.label_errors import find_suspects


def precision(bench: Bench, targets: np.ndarray, probabilities: np.ndarray, columns: list[int]) -> float:
    """Share of flipped cells among the k most suspect ones of these attributes, k being the flips there."""
    truth = bench.data.targets
    k = int(np.sum(truth[:, columns] != targets[:, columns]))
    names = tuple(bench.data.attributes[column] for column in columns)
    found = find_suspects(targets[:, columns], probabilities[:, columns], bench.data.names, names, k)
    row = {name: number for number, name in enumerate(bench.data.names)}
    column = {name: number for number, name in enumerate(bench.data.attributes)}
    hits = sum(truth[row[s.image], column[s.attribute]] != s.label for s in found)
    return float(hits / k)


def measure(bench: Bench, share: float, seed: list[int]) -> list[float]:
    """Precision overall, then within each attribute."""
    targets = flip(bench.data.targets, share, np.random.default_rng(seed))
    probabilities = bench.relearn(targets)[0].probabilities
    every = list(range(targets.shape[1]))
    return [precision(bench, targets, probabilities, part) for part in [every, *([j] for j in every)]]


def main() -> None:
    """Print the table, the attributes with the highest precision first."""
    parser = arguments(__doc__)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    bench = open_bench(given)
    measured = [measure(bench, given.share, [given.seed, repeat]) for repeat in range(given.repeats)]
    truth = bench.data.targets
    known = np.sum(truth != MISSING, axis=0)
    flips = np.array([round(given.share * count) for count in known])
    prevalence = np.sum(truth == 1, axis=0) / known
    mean, spread = np.mean(measured, axis=0), np.std(measured, axis=0, ddof=min(1, given.repeats - 1))
    print(f"| attribute | prevalence | flips | precision at k, {given.repeats} repeats | random |")
    print("|:---|---:|---:|---:|---:|")
    print(
        f"| all | {np.sum(truth == 1) / known.sum():.3f} | {flips.sum()} | {mean[0]:.2f} ± {spread[0]:.2f} "
        f"| {flips.sum() / known.sum():.2f} |"
    )
    for j in np.argsort(-mean[1:], kind="stable"):
        print(
            f"| {bench.data.attributes[j]} | {prevalence[j]:.3f} | {flips[j]} "
            f"| {mean[j + 1]:.2f} ± {spread[j + 1]:.2f} | {flips[j] / known[j]:.2f} |"
        )


if __name__ == "__main__":
    main()
