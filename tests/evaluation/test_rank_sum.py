import itertools
import math

import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation.rank_sum import RankSum, least_reached, rank_sum, ranks_within_folds


def arrangements(statistic: RankSum) -> np.ndarray:
    """The statistic under every arrangement of the labels within folds."""
    sums = [0]
    for start, size, positives in zip(statistic.starts, statistic.sizes, statistic.positives, strict=True):
        inside = statistic.ranks[start : start + size].tolist()
        sums = [a + sum(chosen) for a in sums for chosen in itertools.combinations(inside, positives)]
    return np.array(sums)


def draw(seed: int, folds: int = 2) -> RankSum:
    generator = np.random.default_rng(seed)
    targets = np.array([1, 1, 0, 0, 0, 1, 0, 0, 0, 0])
    return rank_sum(targets, generator.integers(0, 6, 10).astype(float), np.arange(10) // 5 % folds)


def test_by_hand() -> None:
    scores = np.array([0.1, 0.2, 0.2, 0.4, 0.5, 0.6, 0.6, 0.8])
    targets = np.isin(np.arange(8), [3, 5, 7]).astype(float)
    statistic = rank_sum(targets, scores, np.zeros(8, int))
    # Twice the ranks 1, 2.5, 2.5, 4, 5, 6.5, 6.5, 8, less 9.
    assert statistic.ranks.tolist() == [-7, -4, -4, -1, 1, 4, 4, 7]
    assert statistic.observed == 10
    # 3 * 5 / (8 * 7) * (2 * 49 + 4 * 16 + 2).
    assert statistic.variance == pytest.approx(15 / 56 * 164)
    assert statistic.span == 1


def test_folds_are_ranked_each_for_itself() -> None:
    # Fold 1 lies 100 above fold 0 and has no positive: within fold 0 the ranking is perfect.
    targets, scores = np.array([1, 1, 0, 0, 0, 0]), np.array([4.0, 3, 2, 1, 101, 102])
    statistic = rank_sum(targets, scores, np.array([0, 0, 0, 0, 1, 1]))
    assert statistic.sizes.tolist() == [4]
    # Twice (ranks 3 + 4 less the mean 5).
    assert statistic.observed == 4
    assert ranks_within_folds(scores, np.array([0, 0, 0, 0, 1, 1])).tolist() == [3, 1, -1, -3, -1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_moments_and_values_of_all_arrangements(seed: int) -> None:
    statistic = draw(seed)
    sums = arrangements(statistic)
    assert sums.mean() == pytest.approx(0)
    assert sums.var() == pytest.approx(statistic.variance)
    assert ((sums - statistic.observed) % statistic.span == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_least_value_that_the_stretched_null_reaches(seed: int) -> None:
    statistic = draw(seed)
    sums = arrangements(statistic)
    for stretch in (1.0, math.sqrt(2)):
        reached = sums * stretch >= statistic.observed - 1e-9
        assert (reached == (sums >= least_reached(statistic, stretch) - 1e-9)).all()


def test_missing_labels_have_no_rank() -> None:
    statistic = rank_sum(np.array([1, MISSING, 0]), np.array([1.0, 5.0, 0.0]), np.zeros(3, int))
    assert statistic.ranks.tolist() == [-1, 1]


@pytest.mark.parametrize("targets", [[1, 1], [MISSING, MISSING], []])
def test_without_both_classes_there_is_nothing_to_arrange(targets: list[float]) -> None:
    statistic = rank_sum(np.array(targets), np.arange(len(targets)) * 1.0, np.zeros(len(targets), int))
    assert (statistic.observed, statistic.variance, statistic.ranks.size) == (0, 0, 0)
