from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.data import hash_index
from aimonk.data.hash_index import close_pairs


def found(one: np.ndarray, other: np.ndarray, distance: int) -> list[tuple[int, int]]:
    return sorted(
        pair
        for first, second in close_pairs(one, other, distance)
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    )


def by_comparing_all(one: np.ndarray, other: np.ndarray, distance: int) -> list[tuple[int, int]]:
    bits = np.bitwise_count(one[:, None] ^ other).astype(int)
    return [(int(first), int(second)) for first, second in np.argwhere(bits <= distance)]


def test_pairs_are_counted_in_bits() -> None:
    one = np.array([0b0000, 0b1111, 2**63], np.uint64)
    other = np.array([0b0111, 0b0011], np.uint64)
    assert found(one, other, 1) == [(1, 0)]
    assert found(one, other, 2) == [(0, 1), (1, 0), (1, 1)]
    assert found(one, other, 3) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 1)]
    assert found(one, other, -1) == []
    assert found(one, np.zeros(0, np.uint64), 64) == []


# A few hashes with some bits changed: that gives clumps, equal hashes and all distances.
flips = st.lists(st.integers(0, 63), max_size=12, unique=True)
hashes = st.lists(
    st.tuples(st.sampled_from([0, 2**64 - 1, 0x0123456789ABCDEF]), flips).map(
        lambda drawn: drawn[0] ^ sum(1 << bit for bit in drawn[1])
    ),
    max_size=25,
).map(lambda values: np.array(values, np.uint64))


@given(hashes, hashes, st.integers(-1, 64), st.booleans())
def test_the_index_finds_what_comparing_all_finds(
    one: np.ndarray, other: np.ndarray, distance: int, looked_up: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if looked_up:  # however few there are
            patch.setattr(hash_index, "_FEW", 0)
        assert found(one, other, distance) == by_comparing_all(one, other, distance)


@pytest.mark.parametrize("few", [0, 2**23], ids=["looked up", "compared"])
@pytest.mark.parametrize("distance", [8, 12])
def test_thousands_of_hashes_in_small_blocks(
    distance: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_index, "_FEW", few)
    monkeypatch.setattr(hash_index, "_BLOCK", 1000)
    draw = np.random.default_rng(0)
    one = draw.integers(0, 2**64, 2000, dtype=np.uint64)
    # Each second one is changed in as many bits as may differ, or in one more.
    changed = [sum(1 << int(bit) for bit in draw.choice(64, distance + at % 2, False)) for at in range(2000)]
    other = one ^ np.array(changed, np.uint64)
    pairs = found(one, other, distance)
    assert pairs == by_comparing_all(one, other, distance)
    assert sum(first == second for first, second in pairs) == 1000


def test_a_clump_of_equal_hashes_comes_in_blocks_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_index, "_BLOCK", 1000)
    clump = np.full(300, 7, np.uint64)
    sizes = [len(first) for first, _ in close_pairs(clump, clump, 12)]
    assert sum(sizes) == 300 * 300
    assert max(sizes) <= 1000
