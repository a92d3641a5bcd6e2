"""Compare the computed tail of the permutation test with permutations and with exact counting.

    python experiments/benchmarks/permutation_tail.py [--cases 1000] [--permutations 20000]

Every case draws images, positives, folds, ties and a signal. The computed p-value (`saddlepoint`) is compared
with random permutations of the labels: the difference should be within Monte Carlo error, that is, its
z-value should have standard deviation 1 and lie within 4. For small cases the whole permutation
distribution is counted by dynamic programming, which reaches p-values that no number of permutations would:
there the relative error is given, by the size of the p-value. `normal` is the relative error of the normal
approximation.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aimonk.evaluation.association import FOLD_STRETCH, MANY_TIES
from aimonk.evaluation.permutation import tied_share
from aimonk.evaluation.rank_sum import RankSum, least_reached, rank_sum
from aimonk.evaluation.saddlepoint import permutation_tail

SMALL = 160
"""Largest case whose distribution is counted."""


@dataclass(frozen=True)
class Case:
    """A statistic, the value whose tail is asked for, and its computed tail."""

    statistic: RankSum
    value: float
    tail: float


def draw(generator: np.random.Generator) -> Case | None:
    """One case; None where a test would not be computed: too few, or too many ties."""
    images = int(np.exp(generator.uniform(np.log(40), np.log(3000))))
    positives = round(images * generator.uniform(0.02, 0.5))
    folds = int(generator.choice([1, 5]))
    targets = (np.arange(images) < positives).astype(np.float64)
    signal = generator.uniform(-0.5, 6) / math.sqrt(max(positives, 1))
    scores = generator.normal(size=images) + signal * targets
    if generator.random() < 0.3:
        scores = np.round(scores * 10) / 10
    statistic = rank_sum(targets, scores, generator.permutation(np.arange(images) % folds))
    if positives < 10 or statistic.variance == 0 or tied_share(statistic) > MANY_TIES:
        return None
    value = least_reached(statistic, FOLD_STRETCH if folds > 1 else 1.0)
    return Case(statistic, value, permutation_tail(statistic, value))


def permuted(case: Case, permutations: int, generator: np.random.Generator) -> float:
    """Share of random arrangements of the labels whose statistic is no smaller."""
    statistic = case.statistic
    null = np.zeros(permutations)
    for start, size, positives in zip(statistic.starts, statistic.sizes, statistic.positives, strict=True):
        ranks = statistic.ranks[start : start + size]
        for begin in range(0, permutations, 1000):
            rows = slice(begin, min(begin + 1000, permutations))
            keys = generator.random((rows.stop - begin, size), dtype=np.float32)
            chosen = np.argpartition(keys, positives - 1, axis=1)[:, :positives]
            null[rows] += ranks[chosen].sum(axis=1)
    return float(np.mean(null >= case.value - 1e-6))


def counted(case: Case) -> float:
    """P(X >= value) exactly: the distribution of each fold by dynamic programming, then of their sum."""
    statistic = case.statistic
    distribution, lowest = np.ones(1), 0
    for start, size, positives in zip(statistic.starts, statistic.sizes, statistic.positives, strict=True):
        ranks = statistic.ranks[start : start + size]
        shifted = ranks - ranks.min()
        ways = np.zeros((positives + 1, int(np.sort(shifted)[-positives:].sum()) + 1))
        ways[0, 0] = 1
        for rank in shifted:
            for number in range(positives, 0, -1):
                ways[number, rank:] += ways[number - 1, : ways.shape[1] - rank]
        lowest += positives * int(ranks.min())
        distribution = np.convolve(distribution, ways[positives] / math.comb(int(size), int(positives)))
    return float(distribution[np.arange(distribution.size) + lowest >= case.value].sum())


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    generator = np.random.default_rng(given.seed)
    began = time.perf_counter()
    scores: list[float] = []
    exact: list[tuple[float, float, float]] = []
    beyond = 0
    while len(scores) + beyond < given.cases:
        case = draw(generator)
        if case is None:
            continue
        if case.statistic.ranks.size <= SMALL:
            truth = counted(case)
            normal = float(ndtr(-case.value / math.sqrt(case.statistic.variance)))
            exact.append((truth, case.tail / truth - 1, normal / truth - 1))
        if case.tail * given.permutations < 20:
            beyond += 1
            continue
        error = math.sqrt(case.tail * (1 - case.tail) / given.permutations)
        scores.append((permuted(case, given.permutations, generator) - case.tail) / error)
    z = np.array(scores)
    print(f"{z.size} cases against {given.permutations} permutations, {beyond} farther out than these reach.")
    print(f"z: mean {z.mean():+.2f}, standard deviation {z.std():.2f}, largest {np.abs(z).max():.2f}.\n")
    print("| exact p | cases | relative error, median | largest | normal, median | largest |")
    print("|---|---:|---:|---:|---:|---:|")
    for high, low in ((1, 0.05), (0.05, 1e-3), (1e-3, 1e-5), (1e-5, 1e-8), (1e-8, 0)):
        rows = np.abs(np.array([row[1:] for row in exact if low < row[0] <= high]).reshape(-1, 2))
        if len(rows):
            shown = " | ".join(f"{np.median(c):.2%} | {c.max():.2%}" for c in rows.T)
            print(f"| {low:g} to {high:g} | {len(rows)} | {shown} |")
    print(f"\n{time.perf_counter() - began:.0f} s.")


if __name__ == "__main__":
    main()
