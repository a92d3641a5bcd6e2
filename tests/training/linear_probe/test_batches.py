from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aimonk.training.linear_probe.batches import batch_count, batches, padded, shuffled


def test_the_seed_has_25_batches_the_last_of_9_rows() -> None:
    sizes = [len(batch) for batch in batches(np.arange(777), 32, seed=42, epoch=1)]
    assert sizes == [32] * 24 + [9]
    assert batch_count(777, 32) == 25
    assert batch_count(768, 32) == 24


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 9), st.integers(1, 9))
def test_every_row_once_per_epoch(rows: int, size: int, seed: int, epoch: int) -> None:
    index = np.arange(rows) * 3
    seen = np.concatenate(list(batches(index, size, seed, epoch)))
    np.testing.assert_array_equal(np.sort(seen), index)
    np.testing.assert_array_equal(seen, shuffled(index, seed, epoch))


def test_epochs_and_seeds_differ_and_repeat() -> None:
    rows = np.arange(100)
    first = shuffled(rows, 1, 1)
    np.testing.assert_array_equal(first, shuffled(rows, 1, 1))
    assert (first != shuffled(rows, 1, 2)).any()
    assert (first != shuffled(rows, 2, 1)).any()


def test_padded_by_hand() -> None:
    np.testing.assert_array_equal(padded(np.array([5, 6, 7]), 2), [[5, 6], [7, -1]])
    np.testing.assert_array_equal(padded(np.array([5, 6]), 2, multiple=2), [[5, 6], [-1, -1]])
    assert padded(np.array([], np.int64), 4).shape == (0, 4)
