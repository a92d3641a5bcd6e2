import itertools

import numpy as np
import pytest

from aimonk.evaluation.permutation import permuted_p_value, tied_share
from aimonk.evaluation.rank_sum import rank_sum


def test_p_value_of_all_arrangements() -> None:
    """3 positives of 8: the share of the 56 arrangements with as high a rank sum, ties averaged."""
    scores = np.array([0.1, 0.2, 0.2, 0.4, 0.5, 0.6, 0.6, 0.8])
    ranks = np.array([1, 2.5, 2.5, 4, 5, 6.5, 6.5, 8])
    positives = [3, 5, 7]
    sums = [ranks[list(chosen)].sum() for chosen in itertools.combinations(range(8), 3)]
    exact = np.mean(np.array(sums) >= ranks[positives].sum())
    statistic = rank_sum(np.isin(np.arange(8), positives).astype(float), scores, np.zeros(8, int))
    assert permuted_p_value(statistic, 1.0, 20_000, 0) == pytest.approx(exact, abs=0.01)


def test_the_stretched_null_reaches_farther() -> None:
    scores = np.repeat([0.0, 1.0], 20)
    targets = np.concatenate([np.arange(20) < 4, np.arange(20) < 9]).astype(float)
    statistic = rank_sum(targets, scores, np.zeros(40, int))
    plain, stretched = (permuted_p_value(statistic, stretch, 20_000, 0) for stretch in (1.0, 1.414))
    # Hypergeometric: at least 9 of 13 positives among 20 of 40, and at least 8.27, that is 9 too.
    assert plain == pytest.approx(0.088, abs=0.01)
    assert stretched == pytest.approx(plain, abs=0.01)


def test_it_is_never_zero() -> None:
    statistic = rank_sum(np.repeat([0.0, 1.0], 20), np.repeat([0.0, 1.0], 20), np.zeros(40, int))
    assert permuted_p_value(statistic, 1.0, 99, 0) == 1 / 100


def test_share_of_tied_pairs_by_hand() -> None:
    # Fold 0: one of three pairs is tied. Fold 1: its only pair.
    statistic = rank_sum(np.array([1, 0, 0, 1, 0]), np.array([2.0, 2, 1, 7, 7]), np.array([0, 0, 0, 1, 1]))
    assert tied_share(statistic) == pytest.approx(2 / 4)
