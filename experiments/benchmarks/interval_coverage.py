"""Measure how often the 95% intervals of AP and AUC contain the truth.

Scores are binormal: N(0, 1) of negatives, N(d, 1) of positives, so AUC = Phi(d / sqrt 2) and the AP of the
population is an integral. Every repetition draws n images, each positive with the prevalence, and asks for
intervals as `weigh_evidence` does. Cells with fewer than 10 expected positives are left out.

    python experiments/benchmarks/interval_coverage.py [--repetitions 400] [--resamples 300] [--sizes 100 ...]

prints a Markdown table. Cells outside 92% to 98% are bold. With `--copies 2` every photo is there twice, in
one group: coverage should not change. `--sizes` narrows the grid.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from aimonk.evaluation.bootstrap import resampled_metrics
from aimonk.evaluation.folds import fold_rankings
from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.metric_errors import metric_intervals

SIZES = (100, 300, 1000, 4000)
PREVALENCES = (0.05, 0.2, 0.5)
AUCS = (0.5, 0.7, 0.85, 0.95)
FEWEST = 10


@dataclass(frozen=True)
class Cell:
    """One population, and how many images are drawn from it."""

    images: int
    prevalence: float
    auc: float

    @property
    def distance(self) -> float:
        """Between the means of the classes, in standard deviations."""
        return float(np.sqrt(2) * norm.ppf(self.auc))

    @property
    def average_precision(self) -> float:
        """The population's AP: the mean precision at the score of a positive."""

        def integrand(score: float) -> float:
            found = self.prevalence * norm.sf(score - self.distance)
            seen = found + (1 - self.prevalence) * norm.sf(score)
            return float(found / seen * norm.pdf(score - self.distance))

        return float(quad(integrand, self.distance - 8, self.distance + 8, limit=200)[0])

    def draw(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Targets and scores, `(n, 1)` each, with at least one image of each class."""
        while True:
            targets = (generator.random(self.images) < self.prevalence).astype(np.float32)
            if 0 < targets.sum() < self.images:
                scores = generator.normal(size=self.images) + self.distance * targets
                return targets[:, None], scores[:, None]


def cells(sizes: tuple[int, ...]) -> Iterator[Cell]:
    """All cells in which both classes are expected to have at least 10 images."""
    for images in sizes:
        for prevalence in PREVALENCES:
            if images * min(prevalence, 1 - prevalence) >= FEWEST:
                yield from (Cell(images, prevalence, auc) for auc in AUCS)


def intervals(
    targets: np.ndarray, scores: np.ndarray, copies: int, resamples: int, seed: int
) -> tuple[Interval, Interval, np.ndarray, np.ndarray]:
    """Our intervals of AP and AUC, and the resamples of both for percentile intervals."""
    groups = np.repeat(np.arange(len(targets)), copies)
    targets, scores = np.repeat(targets, copies, axis=0), np.repeat(scores, copies, axis=0)
    draws = resampled_metrics(fold_rankings(targets, scores, None), groups, None, resamples, seed)
    positives = int(targets.sum())
    rarer = np.array([min(positives, len(targets) - positives) // copies])
    found = metric_intervals(targets, scores, groups, None, rarer, resamples, seed)
    return found.ap[0], found.auc[0], draws[0][:, 0], draws[1][:, 0]


def coverage(cell: Cell, repetitions: int, resamples: int, copies: int, seed: int) -> list[float]:
    """Shares that contain the truth: AP, AUC, and both with percentile intervals."""
    generator = np.random.default_rng(seed)
    truths = (cell.average_precision, cell.auc)
    inside = np.zeros((repetitions, 4), dtype=bool)
    for repetition in range(repetitions):
        ap, auc, *draws = intervals(*cell.draw(generator), copies, resamples, seed + repetition)
        for column, (interval, drawn, truth) in enumerate(zip((ap, auc), draws, truths, strict=True)):
            low, high = np.nanpercentile(drawn, (2.5, 97.5))
            inside[repetition, column] = interval.low <= truth <= interval.high
            inside[repetition, column + 2] = low <= truth <= high
    return [float(share) for share in inside.mean(axis=0)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=300)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    print("| images | prevalence | true AUC | true AP | AP | AUC | AP, percentile | AUC, percentile |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    inside = total = 0
    for number, cell in enumerate(cells(tuple(given.sizes))):
        seed = given.seed + number * given.repetitions
        shares = coverage(cell, given.repetitions, given.resamples, given.copies, seed)
        shown = [f"{share:.1%}" if 0.92 <= share <= 0.98 else f"**{share:.1%}**" for share in shares]
        inside += sum(0.92 <= share <= 0.98 for share in shares[:2])
        total += 2
        population = f"{cell.images} | {cell.prevalence} | {cell.auc} | {cell.average_precision:.3f}"
        print(f"| {population} | {' | '.join(shown)} |", flush=True)
    seconds = time.perf_counter() - began
    print(
        f"\n{inside} of {total} within 92% to 98%; {given.repetitions} repetitions per cell, {seconds:.0f} s."
    )


if __name__ == "__main__":
    main()
