"""An exact index of 64-bit hashes: which of them differ in few bits, without comparing all pairs.

Multi-index hashing (Norouzi, Punjani, Fleet: "Fast exact search in Hamming space with multi-index hashing",
IEEE TPAMI 36(6), 2014). A hash is cut into four words of 16 bits, and each word has a table of its own. If
two hashes differ in at most `distance` bits, then for any radii with `sum(radius + 1) > distance` some word
differs in at most its radius: otherwise the words would differ in at least `sum(radius + 1)` bits together.
So it is enough to look up, in each table, the words within its radius. Nothing is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

_WORDS = 4
_BITS = 16
_BLOCK = 2**20
"""Pairs compared at once: some 40 MB of indices and hashes."""
_FEW = 2**23
"""So many pairs, of some 3,000 hashes, are compared sooner than they are looked up."""


def close_pairs(one: np.ndarray, other: np.ndarray, distance: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of hashes that differ in at most `distance` bits, each pair once, in blocks.

    Args:
        one: `(n,) uint64`.
        other: `(m,) uint64`.
        distance: number of bits, 0 to 64; below 0 there are no pairs.

    Yields:
        `(first, second)`, both `(k,) int64`: indices into `one` and `other`. Memory is linear in `n + m`.
        The time grows with the number of pairs found, which is quadratic if most hashes are alike.

    Example:
        >>> one, other = np.array([0b0000, 0b1111], np.uint64), np.array([0b0111], np.uint64)
        >>> [(first.tolist(), second.tolist()) for first, second in close_pairs(one, other, 1)]
        [([1], [0])]
    """
    if distance < 0 or not len(one) or not len(other):
        return
    # Equal hashes are looked up once.
    values, members = _distinct(one)
    other_values, other_members = _distinct(other)
    for left, right in _search(values, other_values, distance):
        yield from _expand(left, right, members, other_members)


class _Members:
    """The items that have each distinct hash: a slice of `order` from `start` on, `count` long."""

    def __init__(self, inverse: np.ndarray, distinct: int) -> None:
        self.order = np.argsort(inverse, kind="stable")
        self.count = np.bincount(inverse, minlength=distinct)
        self.start = np.cumsum(self.count) - self.count


def _distinct(hashes: np.ndarray) -> tuple[np.ndarray, _Members]:
    values, inverse = np.unique(hashes, return_inverse=True)
    return values, _Members(inverse, len(values))


def _expand(
    left: np.ndarray, right: np.ndarray, one: _Members, other: _Members
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of items for pairs of distinct hashes, in blocks."""
    # One item of the left hash against all of the right one at a time keeps each row below m pairs.
    rows, firsts = _ranges(one.start[left], one.count[left])
    firsts, rights = one.order[firsts], right[rows]
    for block in _blocks(other.count[rights]):
        at, seconds = _ranges(other.start[rights[block]], other.count[rights[block]])
        yield firsts[block][at], other.order[seconds]


def _radii(distance: int) -> list[int]:
    """Return a radius for each word, as equal as can be, with `sum(radius + 1) == distance + 1`."""
    share, rest = divmod(distance + 1, _WORDS)
    return [share - 1 + (word < rest) for word in range(_WORDS)]


def _search(one: np.ndarray, other: np.ndarray, distance: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    radii = _radii(distance)
    # 16 bits have 6,885 neighbors within 5: comparing all is then faster, too.
    if len(one) * len(other) <= _FEW or radii[0] > 4:
        yield from _compare_all(one, other, distance)
        return
    for word, radius in enumerate(radii):
        keys = _word(one, word)
        order = np.argsort(_word(other, word), kind="stable")
        table = other[order]
        counts = np.bincount(_word(other, word), minlength=2**_BITS)
        starts = np.cumsum(counts) - counts
        for mask in _masks(radius):
            probes = keys ^ mask
            for block in _blocks(counts[probes]):
                at, places = _ranges(starts[probes[block]], counts[probes[block]])
                at += block.start
                apart = one[at] ^ table[places]
                near = np.flatnonzero(np.bitwise_count(apart) <= distance)
                # Of the words that would find this pair, the first one reports it.
                near = near[_first_found(apart[near], radii) == word]
                if len(near):
                    yield at[near], order[places[near]]


def _compare_all(
    one: np.ndarray, other: np.ndarray, distance: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows = max(1, _BLOCK // max(1, len(other)))
    for start in range(0, len(one), rows):
        first, second = np.nonzero(np.bitwise_count(one[start : start + rows, None] ^ other) <= distance)
        yield first + start, second


def _word(hashes: np.ndarray, word: int) -> np.ndarray:
    return np.asarray((hashes >> np.uint64(_BITS * word)) & np.uint64(2**_BITS - 1)).astype(np.int64)


def _masks(radius: int) -> list[int]:
    flips = (some for count in range(radius + 1) for some in combinations(range(_BITS), count))
    return [sum(1 << bit for bit in some) for some in flips]


def _first_found(apart: np.ndarray, radii: list[int]) -> np.ndarray:
    within = [np.bitwise_count(_word(apart, word)) <= radius for word, radius in enumerate(radii)]
    return np.asarray(np.argmax(np.stack(within), axis=0))


def _blocks(counts: np.ndarray) -> Iterator[slice]:
    """Yield slices of consecutive items whose counts add up to about `_BLOCK`; an item is never cut."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = total[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(total, before + _BLOCK, side="right")))
        yield slice(start, end)
        start = end


def _ranges(starts: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each element of the ranges `starts[k] ... starts[k] + counts[k] - 1`, `k` and the element.

    Ranges of the counts 2, 0, 1 become k = 0, 0, 2.
    """
    rows = np.repeat(np.arange(len(counts)), counts)
    offsets = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, starts[rows] + offsets
