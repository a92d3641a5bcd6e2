import math

import numpy as np
import pytest

from aimonk.evaluation.rank_sum import RankSum, least_reached, rank_sum
from aimonk.evaluation.saddlepoint import permutation_tail


def exact_tail(statistic: RankSum, value: float) -> float:
    """P(X >= value) by counting: the distribution of each fold by dynamic programming, then their sum."""
    distribution, lowest = np.ones(1), 0
    for start, size, positives in zip(statistic.starts, statistic.sizes, statistic.positives, strict=True):
        ranks = statistic.ranks[start : start + size]
        shifted = ranks - ranks.min()
        ways = np.zeros((positives + 1, int(np.sort(shifted)[-positives:].sum()) + 1))
        ways[0, 0] = 1
        for rank in shifted:
            for chosen in range(positives, 0, -1):
                ways[chosen, rank:] += ways[chosen - 1, : ways.shape[1] - rank]
        lowest += positives * ranks.min()
        distribution = np.convolve(distribution, ways[positives] / math.comb(int(size), int(positives)))
    return float(distribution[np.arange(distribution.size) + lowest >= value].sum())


def draw(images: int, positives: int, folds: int, signal: float, grid: float, seed: int) -> RankSum:
    generator = np.random.default_rng(seed)
    targets = np.zeros(images)
    targets[generator.permutation(images)[:positives]] = 1
    scores = generator.normal(size=images) + signal * targets
    if grid:
        scores = np.round(scores / grid) * grid
    return rank_sum(targets, scores, generator.permutation(np.arange(images) % folds))


@pytest.mark.parametrize(
    ("images", "positives", "folds"), [(60, 10, 1), (60, 30, 1), (100, 10, 5), (120, 30, 5)]
)
@pytest.mark.parametrize("signal", [-1.0, 0.0, 0.4, 0.8, 1.5, 2.5])
def test_equal_to_counting(images: int, positives: int, folds: int, signal: float) -> None:
    statistic = draw(images, positives, folds, signal, 0, seed=round(10 * signal) + 40)
    value = least_reached(statistic, math.sqrt(2) if folds > 1 else 1.0)
    exact = exact_tail(statistic, value)
    assert permutation_tail(statistic, value) == pytest.approx(exact, rel=0.015 if exact > 1e-9 else 0.1)


@pytest.mark.parametrize("signal", [0.0, 0.5, 1.0])
def test_some_ties(signal: float) -> None:
    statistic = draw(100, 20, 5, signal, 0.3, seed=3)
    value = least_reached(statistic, math.sqrt(2))
    assert permutation_tail(statistic, value) == pytest.approx(exact_tail(statistic, value), rel=0.02)


def test_a_perfect_ranking() -> None:
    statistic = rank_sum((np.arange(40) >= 25).astype(float), np.arange(40.0), np.zeros(40, int))
    assert permutation_tail(statistic, statistic.observed) == pytest.approx(1 / math.comb(40, 15), rel=0.25)


def test_huge_sets_do_not_overflow() -> None:
    targets = (np.arange(20_000) % 3 == 0).astype(float)
    statistic = rank_sum(targets, targets + np.random.default_rng(0).random(20_000), np.arange(20_000) % 5)
    assert 0 <= permutation_tail(statistic, statistic.observed) < 1e-300


def test_it_falls_from_one_to_zero() -> None:
    statistic = draw(60, 15, 1, 0.0, 0, seed=0)
    tails = [permutation_tail(statistic, statistic.observed + 2 * step) for step in range(-300, 300, 5)]
    assert (np.diff(tails) <= 1e-12).all()
    assert tails[0] > 0.8 and tails[-1] < 0.2


def test_nothing_to_arrange() -> None:
    statistic = rank_sum(np.ones(5), np.arange(5.0), np.zeros(5, int))
    assert permutation_tail(statistic, 0) == 1
