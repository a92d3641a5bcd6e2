from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aimonk.data.stratify import stratify


def test_one_attribute_is_shared_out_exactly() -> None:
    # 8 positives, 4 negatives, 12 unknown, in halves and two quarters
    targets = np.array([[1]] * 8 + [[0]] * 4 + [[-1]] * 12, dtype=np.float32)
    for seed in range(20):
        sets = stratify(targets, np.arange(24), (0.5, 0.25, 0.25), seed)
        assert np.bincount(sets[:8]).tolist() == [4, 2, 2]
        assert np.bincount(sets[8:12]).tolist() == [2, 1, 1]
        assert np.bincount(sets[12:]).tolist() == [6, 3, 3]


def test_a_group_moves_as_one_and_large_groups_go_first() -> None:
    # A group of 4 positives and 4 single ones: two halves can only be 4 and 4.
    targets = np.ones((8, 1), dtype=np.float32)
    groups = np.array([7, 7, 7, 7, 0, 1, 2, 3])
    for seed in range(20):
        sets = stratify(targets, groups, (0.5, 0.5), seed)
        assert len(set(sets[:4].tolist())) == 1
        assert np.bincount(sets).tolist() == [4, 4]


def test_a_set_without_a_share_stays_empty() -> None:
    targets = np.random.default_rng(0).integers(-1, 2, (50, 4)).astype(np.float32)
    sets = stratify(targets, np.arange(50), (0.8, 0.0, 0.2), 0)
    assert np.bincount(sets, minlength=3)[1] == 0


def test_the_rarest_label_is_dealt_out_first() -> None:
    # 3 rows of a rare attribute and 30 of a common one that they have too: one rare row for each third.
    targets = np.zeros((60, 2), dtype=np.float32)
    targets[:30, 0] = 1
    targets[:3, 1] = 1
    for seed in range(20):
        sets = stratify(targets, np.arange(60), (1 / 3, 1 / 3, 1 / 3), seed)
        assert sorted(sets[:3].tolist()) == [0, 1, 2]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**31))
def test_labels_of_single_rows_are_spread_within_a_few(count: int, width: int, sets: int, seed: int) -> None:
    targets = np.random.default_rng(seed).integers(-1, 2, (count, width)).astype(np.float32)
    numbers = stratify(targets, np.arange(count)[::-1], (1 / sets,) * sets, seed)
    assert numbers.dtype == np.int64 and set(numbers.tolist()) <= set(range(sets))
    for column in range(width):
        for value in (0, 1):
            total = int((targets[:, column] == value).sum())
            spread = np.bincount(numbers[targets[:, column] == value], minlength=sets)
            assert np.abs(spread - total / sets).max() <= 2 * width
