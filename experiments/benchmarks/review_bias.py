"""Measure what a review does to the figures: flip labels, let a simulated reviewer correct some, and score.

    python experiments/benchmarks/review_bias.py [--share 0.1] [--cells 500 1000 2000] [--fits 5] [--draws 10]

The labels of data/clothing are taken for right. So large a share of each attribute's known labels is turned
into its opposite, a model is trained on them as always, and the product's own queue of suspects with its
controls is answered by a reviewer who errs in `--errors` of the cells. For each number of suspects: average
precision over all cells under the wrong labels, under the corrected ones (naive), by the estimate of
`evaluation.review_bias`, and under the right labels; and in how many draws the estimate's 95% interval holds
the last one. A fit is new flips and a new training; a draw is new controls and a new reviewer.

Measured 2026-11-25: see experiments/README.md.

With `--retrain`, instead: mean AP under the right labels of a model trained on the corrected labels, for
suspects first and for cells in random order.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np
from relearning import Bench, arguments, flip, open_bench

from aimonk.data.labels import MISSING
from aimonk.evaluation.metrics import average_precision
from aimonk.evaluation.review_bias import ReviewedCells, ReviewedPrecision, reviewed_precision
from aimonk.reviewing.review_queues import build_queues


def reviewed(
    bench: Bench,
    targets: np.ndarray,
    probabilities: np.ndarray,
    given: argparse.Namespace,
    cells: int,
    seed: int,
) -> ReviewedCells:
    """The answers to the queue of suspects."""
    truth = bench.data.targets
    data = dataclasses.replace(bench.data, targets=targets)
    queue = build_queues(data, probabilities, limit=cells, control_share=given.control_share, seed=seed)
    answers, controls = np.full(truth.shape, np.nan), np.zeros(truth.shape, dtype=bool)
    generator = np.random.default_rng([seed, cells])
    for cell in queue:
        if cell.queue == "suspects":
            at = cell.row, data.attributes.index(cell.attribute)
            errs = generator.random() < given.errors
            answers[at], controls[at] = abs(truth[at] - errs), not cell.doubted
    return ReviewedCells(targets, answers, controls)


def right(truth: np.ndarray, cells: ReviewedCells, probabilities: np.ndarray) -> float:
    """AP over all cells under the right labels."""
    nobody = np.zeros(truth.shape, dtype=bool)
    perfect = ReviewedCells(cells.targets, np.where(truth == MISSING, np.nan, truth), nobody)
    everything = dataclasses.replace(perfect, controls=perfect.targets != MISSING)
    return reviewed_precision(everything, probabilities, resamples=2).naive


def compare_figures(bench: Bench, given: argparse.Namespace) -> None:
    """Print a row for each number of suspects."""
    truth = bench.data.targets
    found: dict[int, list[tuple[ReviewedPrecision, float]]] = {cells: [] for cells in given.cells}
    for fit in range(given.fits):
        targets = flip(truth, given.share, np.random.default_rng([given.seed, fit]))
        probabilities = bench.relearn(targets)[0].probabilities
        for cells in given.cells:
            for draw in range(given.draws):
                review = reviewed(bench, targets, probabilities, given, cells, 1000 * fit + draw)
                figures = reviewed_precision(
                    review, probabilities, reviewer_error=given.errors, resamples=200, seed=draw
                )
                found[cells].append((figures, right(truth, review, probabilities)))
    print(
        "| suspects | controls | wrong of them | given labels | naive | estimate | truth | interval | held |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for cells, rows in found.items():
        table = np.array(
            [
                [
                    f.controls,
                    f.errors,
                    f.given,
                    f.naive,
                    f.unbiased.value,
                    t,
                    f.unbiased.high - f.unbiased.low,
                ]
                for f, t in rows
            ]
        )
        mean, spread = np.nanmean(table, axis=0), np.nanstd(table, axis=0, ddof=1)
        held = [f.unbiased.low <= t <= f.unbiased.high for f, t in rows if np.isfinite(f.unbiased.low)]
        print(
            f"| {cells} | {mean[0]:.0f} | {mean[1]:.1f} | {mean[2]:.3f} | {mean[3]:.3f} ± {spread[3]:.3f} "
            f"| {mean[4]:.3f} ± {spread[4]:.3f} | {mean[5]:.3f} | {mean[6]:.3f} "
            f"| {sum(held)} of {len(held)} |",
            flush=True,
        )


def _numbers(figures: ReviewedPrecision, true: float) -> list[float]:
    estimate = figures.unbiased
    width = estimate.high - estimate.low
    return [figures.controls, figures.errors, figures.given, figures.naive, estimate.value, true, width]


def retrain(bench: Bench, given: argparse.Namespace) -> None:
    """Print mean AP under the right labels after training on the corrected ones."""
    truth = bench.data.targets
    print("| cells reviewed | suspects first | random order |")
    print("|---:|---:|---:|")
    curves = np.full((given.fits, 1 + len(given.cells), 2), np.nan)
    for fit in range(given.fits):
        generator = np.random.default_rng([given.seed, fit])
        targets = flip(truth, given.share, generator)
        first = bench.relearn(targets)[0].probabilities
        curves[fit, 0] = np.nanmean(average_precision(truth, first))
        doubt = np.where(targets == 1, 1 - first, first)
        doubt[targets == MISSING] = -1
        known = np.flatnonzero(targets != MISSING)
        orders = np.argsort(-doubt.ravel(), kind="stable"), generator.permutation(known)
        for number, cells in enumerate(given.cells, start=1):
            for column, order in enumerate(orders):
                corrected = targets.copy()
                at = order[:cells]
                errs = generator.random(cells) < given.errors
                corrected.flat[at] = np.abs(truth.flat[at] - errs)
                scores = bench.relearn(corrected)[0].probabilities
                curves[fit, number, column] = np.nanmean(average_precision(truth, scores))
    for cells, (suspects, random) in zip((0, *given.cells), curves.mean(axis=0), strict=True):
        print(f"| {cells} | {suspects:.3f} | {random:.3f} |")


def main() -> None:
    """Print one of the two tables."""
    parser = arguments(__doc__)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--errors", type=float, default=0.02)
    parser.add_argument("--control-share", type=float, default=0.2)
    parser.add_argument("--cells", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--fits", type=int, default=5)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--retrain", action="store_true")
    given = parser.parse_args()
    bench = open_bench(given)
    (retrain if given.retrain else compare_figures)(bench, given)


if __name__ == "__main__":
    main()
