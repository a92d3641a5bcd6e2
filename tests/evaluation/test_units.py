import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation.units import collapse


def test_copies_become_one_unit() -> None:
    targets = np.array([[1, 1, 0], [1, 0, MISSING], [0, MISSING, MISSING], [1, 1, 1]], np.float32)
    scores = np.array([[0.2, 0.3, 0.5], [0.4, 0.7, 0.9], [0.6, 0.1, 0.0], [0.2, 0.2, 0.2]])
    collapsed = collapse(targets, scores, np.array([8, 8, 2, 8]), np.array([1, 1, 0, 1]))
    assert collapsed.folds is not None and collapsed.folds.tolist() == [0, 1]
    # Group 2 is row 2; group 8 agrees on the first attribute and contradicts itself on the others.
    assert collapsed.targets.tolist() == [[0, MISSING, MISSING], [1, MISSING, MISSING]]
    np.testing.assert_allclose(collapsed.scores[1], [0.8 / 3, 0.4, 0.35])
    assert collapsed.mixed.tolist() == [0, 1, 1]
    assert collapsed.varying.tolist() == [False, True, True]
    # The group with both labels counts for both classes, except where such groups are left out.
    assert collapsed.positives.tolist() == [1, 1, 1]
    assert collapsed.negatives.tolist() == [1, 1, 1]


def test_equal_scores_of_copies_stay_equal_to_others() -> None:
    scores = np.array([[0.1], [0.1], [0.1], [0.1]])
    collapsed = collapse(np.ones((4, 1), np.float32), scores, np.array([0, 0, 0, 1]), None)
    assert collapsed.scores[0, 0] == collapsed.scores[1, 0]


def test_a_group_in_two_folds_is_an_error() -> None:
    with pytest.raises(ValueError, match="tear groups apart"):
        collapse(np.ones((2, 1)), np.ones((2, 1)), np.array([0, 0]), np.array([0, 1]))


def test_a_few_contradicting_copies_are_left_out() -> None:
    # 20 positive and 20 negative groups of two; k more hold one of each.
    for mixed, varying in ((2, False), (3, True)):
        targets = np.concatenate([np.ones(40), np.zeros(40), np.tile([1, 0], mixed)])[:, None]
        groups = np.arange(len(targets)) // 2
        units = collapse(targets, np.zeros(targets.shape), groups, None)
        assert units.varying.tolist() == [varying]
        assert units.positives.tolist() == units.negatives.tolist() == [20 + (mixed if varying else 0)]
