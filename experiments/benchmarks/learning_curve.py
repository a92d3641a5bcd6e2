"""Measure whether the learning curve of half the images foretells the score of all of them.

    python experiments/benchmarks/learning_curve.py [--draws 30] [--cache DIR]

Of the groups a half is drawn at random, and the curve is measured and extrapolated from it alone, as
`aimonk train` does. The value at the whole is the average precision of a five-fold cross-validation on all
images, which trains on twice as many. Prints how often it lies in the stated 80% interval, for the mean and
over attributes, the mean error of the extrapolation beside that of "it stays as it is", and the mean width
of the intervals.

Measured 2026-11-25: see experiments/README.md.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from relearning import Bench, arguments, open_bench

from aimonk.commands.train import plan_splits
from aimonk.data.dataset import Dataset
from aimonk.evaluation.cross_validation import FoldLogits, held_out_scores, score_fold
from aimonk.evaluation.folds import fold_rankings
from aimonk.evaluation.learning_curve import AttributeCurve, LearningCurve, learning_curve
from aimonk.training.growing_shares import grow


def part_of(data: Dataset, rows: np.ndarray) -> Dataset:
    """The data set of some of its images."""
    return dataclasses.replace(
        data,
        names=tuple(data.names[row] for row in rows),
        paths=tuple(data.paths[row] for row in rows),
        digests=tuple(data.digests[row] for row in rows),
        targets=data.targets[rows],
        groups=data.groups[rows],
    )


def cross_validate(bench: Bench, data: Dataset) -> list[FoldLogits]:
    """Fit and score every fold."""
    bench.learner.prepare(data)
    return [score_fold(bench.learner.fit(split), split) for split in plan_splits(data, bench.config)]


def curve_of(bench: Bench, data: Dataset, seed: int) -> LearningCurve:
    """The curve, as a training measures it."""
    parts = cross_validate(bench, data)
    scores, _ = held_out_scores(parts, data, bench.config.evaluation)
    points = grow(bench.learner, data, parts, seed)
    logits, sizes = [point.logits for point in points], [point.images for point in points]
    return learning_curve(
        scores.targets, logits, sizes, data.attributes, scores.groups, scores.fold_numbers, seed=seed
    )


def whole(bench: Bench) -> np.ndarray:
    """`(L + 1,)`: AP of each attribute and their mean, trained on all images."""
    parts = cross_validate(bench, bench.data)
    scores, _ = held_out_scores(parts, bench.data, bench.config.evaluation)
    rankings = fold_rankings(scores.targets, scores.logits, scores.fold_numbers)
    values = np.array([r.both(np.ones((1, len(scores))))[0][0] for r in rankings])
    return np.append(values, values.mean())


def numbers(curve: AttributeCurve) -> list[float]:
    """AP now, and the extrapolation to twice as many with its bounds."""
    doubled = curve.extrapolated[0]
    return [curve.points[-1].value, doubled.value, doubled.low, doubled.high]


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--cache", type=Path, default=None)
    given = parser.parse_args()
    bench = open_bench(given)
    truth = whole(bench)
    names, groups = (*bench.data.attributes, "mean"), np.unique(bench.data.groups)
    found = []
    for draw in range(given.draws):
        file = given.cache / f"{draw}.npy" if given.cache else None
        if file and file.is_file():
            found.append(np.load(file))
            continue
        chosen = np.random.default_rng([given.seed, draw]).permutation(groups)[: len(groups) // 2]
        rows = np.flatnonzero(np.isin(bench.data.groups, chosen))
        curve = curve_of(bench, part_of(bench.data, rows), draw)
        found.append(np.array([numbers(one) for one in (*curve.attributes, curve.mean)]))
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, found[-1])
    now, value, low, high = np.moveaxis(np.array(found), -1, 0)
    inside = (low <= truth) & (truth <= high)
    print("| | whole | half | extrapolated | in the 80% interval | error | if it stayed | width |")
    print("|:---|---:|---:|---:|---:|---:|---:|---:|")
    lines = [("mean", np.array([len(names) - 1])), ("attributes", np.arange(len(names) - 1))]
    lines += [(names[column], np.array([column])) for column in range(len(names) - 1)]
    for name, columns in lines:
        error, stayed = np.abs(value - truth)[:, columns].mean(), np.abs(now - truth)[:, columns].mean()
        print(
            f"| {name} | {truth[columns].mean():.3f} | {now[:, columns].mean():.3f} "
            f"| {value[:, columns].mean():.3f} | {inside[:, columns].mean():.0%} | {error:.3f} "
            f"| {stayed:.3f} | {(high - low)[:, columns].mean():.3f} |"
        )


if __name__ == "__main__":
    main()
