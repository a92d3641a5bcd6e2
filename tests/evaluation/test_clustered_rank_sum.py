import math

import numpy as np
import pytest
from scipy.special import ndtr

from aimonk.data.labels import MISSING
from aimonk.evaluation.clustered_rank_sum import clustered_rank_sum

FOLD = np.zeros(6, int)


def test_by_hand() -> None:
    # Doubled ranks less 7: -5, -3, -1, 1, 3, 5; half of the labels are positive.
    scores, targets = np.arange(6.0), np.array([0.0, 1, 0, 0, 1, 1])
    groups = np.array([0, 0, 1, 1, 2, 2])
    p, statistic = clustered_rank_sum(targets, scores, groups, FOLD, 1.0)
    # U = (5 - 3, 1 - 1, 3 + 5) / 2 = 1, 0, 4; each group is a third: 1 - 2/3 + 3/9 = 2/3 of its variance.
    assert statistic == 5
    assert p == pytest.approx(1 - ndtr(5 / math.sqrt(17 * 3 / 2)))
    stretched, _ = clustered_rank_sum(targets, scores, groups, FOLD, 2.0)
    assert stretched == pytest.approx(1 - ndtr(2.5 / math.sqrt(17 * 3 / 2)))


def test_missing_labels_and_other_folds_do_not_matter() -> None:
    scores, targets = np.arange(6.0), np.array([0.0, 1, 0, 0, 1, 1])
    groups = np.array([0, 0, 1, 1, 2, 2])
    expected = clustered_rank_sum(targets, scores, groups, FOLD, 1.0)
    wide = (
        np.append(targets, [MISSING, 0, 0]),
        np.append(scores, [2.5, 100, 101]),
        np.append(groups, [1, 3, 3]),
        np.append(FOLD, [0, 1, 1]),
    )
    # Fold 1 has no positive: its only group contributes nothing.
    assert clustered_rank_sum(*wide, 1.0) == pytest.approx(expected)


def test_without_both_classes_nothing_is_observed() -> None:
    for targets in (np.ones(6), np.full(6, MISSING)):
        assert clustered_rank_sum(targets, np.arange(6.0), np.arange(6), FOLD, 1.0) == (1.0, 0.0)
