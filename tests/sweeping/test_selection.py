from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.sweeping.selection import fold_winners, overall_winner, score_table

SCORES = [
    (0.50, 0.50, 0.50),  # mean 0.50
    (0.40, 0.60, 0.56),  # mean 0.52
    (0.90, 0.20),  # stopped early
    (0.52, 0.60, 0.44),  # mean 0.52 too, but later
]


def test_a_trial_that_was_stopped_has_gaps() -> None:
    table = score_table(SCORES, 3)
    assert table.shape == (4, 3)
    assert np.isnan(table).tolist() == [[False] * 3, [False] * 3, [False, False, True], [False] * 3]
    assert table[2, :2].tolist() == [0.90, 0.20]


def test_each_fold_has_the_winner_of_its_column_also_one_that_was_stopped_later() -> None:
    assert fold_winners(score_table(SCORES, 3)).tolist() == [2, 1, 1]


def test_the_overall_winner_was_tried_in_all_folds() -> None:
    assert overall_winner(score_table(SCORES, 3)) == 1


def test_nothing_to_choose_from() -> None:
    with pytest.raises(ValueError, match="All-NaN"):
        overall_winner(score_table([(0.9, 0.8)], 3))
    with pytest.raises(ValueError, match="All-NaN"):
        fold_winners(score_table([(0.9, 0.8)], 3))


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_a_fold_is_chosen_for_by_its_own_scores_alone(seed: int, fold: int) -> None:
    draw = np.random.default_rng(seed)
    table = draw.random((6, 4))
    before = fold_winners(table)[fold]
    table[:, np.arange(4) != fold] = draw.random((6, 3))
    assert fold_winners(table)[fold] == before == np.argmax(table[:, fold])
