"""Which rows are in which batch of which epoch: a function of the seed alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def batch_count(rows: int, batch_size: int) -> int:
    """Iterations per epoch; the last batch may be short."""
    return -(-rows // batch_size)


def shuffled(rows: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """`rows (n,)` in the order of this epoch (1-based). Any epoch's order is found without the others'."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def batches(rows: np.ndarray, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """The batches of an epoch in order, the last one as short as it comes."""
    order = shuffled(rows, seed, epoch)
    for first in range(0, len(order), batch_size):
        yield order[first : first + batch_size]


def padded(rows: np.ndarray, width: int, multiple: int = 1) -> np.ndarray:
    """`rows (n,)` as an `(R, width) int32` table in reading order, filled up with -1.

    R is rounded up to a multiple of `multiple`, so that sets of nearly the same size have one shape.
    """
    count = batch_count(batch_count(len(rows), width), multiple) * multiple
    table = np.full(count * width, -1, dtype=np.int32)
    table[: len(rows)] = rows
    return table.reshape(count, width)
