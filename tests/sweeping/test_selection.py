from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.data.labels import MISSING
from aimonk.data.split import Split
from aimonk.sweeping.selection import fold_winners, overall_winner, scores_outside

NAN = np.nan


def test_the_overall_winner_has_the_best_mean_of_all_folds():
    scores = [
        (0.50, 0.50, 0.50),  # 0.50
        (0.40, 0.60, 0.56),  # 0.52
        (0.90, 0.90),  # stopped early: not to be compared
        (0.52, 0.52, 0.52),  # 0.52 too, but later
    ]
    assert overall_winner(scores, 3) == 1
    with pytest.raises(ValueError, match="All-NaN"):
        overall_winner([(0.9,)], 3)


def test_each_fold_has_the_winner_of_its_column():
    table = np.array(
        [
            [0.50, 0.50, 0.50],
            [0.40, 0.60, 0.56],
            [NAN, NAN, NAN],
            [0.52, 0.60, 0.10],
        ]
    )
    assert fold_winners(table).tolist() == [3, 1, 1]


def test_scores_outside_a_fold_by_hand():
    # Six images, the first two tested by fold 0, then two by fold 1, two by fold 2.
    numbers = np.array([0, 0, 1, 1, 2, 2])
    targets = np.array([[1], [0], [1], [0], [1], [0]], np.float32)
    splits = [
        Split(np.array([]), np.array([2, 3, 4, 5]), np.array([0, 1])),
        Split(np.array([]), np.array([0, 1, 4, 5]), np.array([2, 3])),
        Split(np.array([]), np.array([0, 1, 2, 3]), np.array([4, 5])),
    ]
    right, wrong = [[2.0], [1.0]], [[1.0], [2.0]]  # AP 1 and 1/2 on a positive and a negative
    validations = [
        np.array(right + wrong),  # images 2 3 right, 4 5 wrong (also against 2 3: no, see below)
        np.array(wrong + wrong),
        np.array(right + right),
    ]
    found = scores_outside(validations, targets, numbers, splits)
    # Model 0, scores 2 1 | 1 2, truth 1 0 | 1 0. Outside fold 0: all four. Falling: {2+, 5-}, {3-, 4+}:
    # AP = 1/2 * 1/2 + 1/2 * 2/4 = 0.5. Outside fold 1: images 4 5, 0.5. Outside fold 2: images 2 3, 1.
    # Model 1: everything wrong. Outside fold 0: images 4 5, 0.5; fold 1: all, {1- 5-}, {0+ 4+}: 2/4 = 0.5;
    # fold 2: 0.5. Model 2: everything right, 1 in any part.
    assert found == pytest.approx([(0.5 + 0.5 + 1) / 3, (0.5 + 0.5 + 1) / 3, (1 + 0.5 + 1) / 3])


def test_what_is_not_defined_does_not_count():
    numbers = np.array([0, 0, 1, 1])
    targets = np.array([[1, 1], [0, MISSING], [1, 1], [0, 0]], np.float32)
    splits = [
        Split(np.array([]), np.array([2, 3]), np.array([0, 1])),
        Split(np.array([]), np.array([0, 1]), np.array([2, 3])),
    ]
    validations = [np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[1.0, 5.0], [2.0, 5.0]])]
    # Outside fold 0 only model 0 has images: AP 1 and 1/2. Outside fold 1 only model 1: AP 1/2, and of
    # attribute 1 no negative is known.
    assert scores_outside(validations, targets, numbers, splits) == pytest.approx([0.75, 0.5])


def test_a_trial_that_was_stopped_early_wins_no_fold():
    found = scores_outside([np.zeros((2, 1))], np.ones((4, 1)), np.zeros(4), [None, None, None])  # type: ignore[list-item]
    assert np.isnan(found).tolist() == [True] * 3


@given(st.integers(0, 10_000))
def test_the_reported_images_have_no_say(seed: int):
    draw = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(3), 8)
    targets = draw.integers(-1, 2, (24, 2)).astype(np.float32)
    splits = [
        Split(np.array([]), draw.permutation(np.flatnonzero(numbers != fold))[:10], np.array([]))
        for fold in range(3)
    ]
    validations = [draw.normal(size=(10, 2)) for _ in splits]
    before = scores_outside(validations, targets, numbers, splits)
    fold = int(draw.integers(3))
    tested = numbers == fold
    targets[tested] = draw.integers(-1, 2, (8, 2))
    for split, logits in zip(splits, validations, strict=True):
        logits[tested[split.validation]] = draw.normal(size=2)
    after = scores_outside(validations, targets, numbers, splits)
    assert before[fold] == after[fold] or np.isnan([before[fold], after[fold]]).all()
