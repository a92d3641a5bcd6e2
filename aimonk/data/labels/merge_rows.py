"""Several rows of one image become one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .label_table import MISSING


@dataclass(frozen=True)
class Merged:
    """Rows merged by image.

    Attributes:
        first: `(M,) int64`, the first row of each image, ascending.
        row_of: `(N,) int64`, the merged row of each row.
        targets: `(M, L) float32`.
        contradictions: Labels on which the rows of an image disagree.
    """

    first: np.ndarray
    row_of: np.ndarray
    targets: np.ndarray
    contradictions: int


def merge_rows(codes: np.ndarray, targets: np.ndarray) -> Merged:
    """Merge the rows whose code is equal: agreement is kept, contradiction becomes unknown.

    A label that some rows know and others do not is kept: an unknown label contradicts nothing.

    >>> merged = merge_rows(np.array([7, 7, 3]), np.array([[1, 0, -1], [1, 1, 0], [0, 0, 0]], np.float32))
    >>> merged.targets.tolist(), merged.contradictions
    ([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], 1)

    Args:
        codes: `(N,)` integers, equal for rows of one image.
        targets: `(N, L) float32` of 1, 0 and `MISSING`.
    """
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    row_of = rank[inverse]
    first = np.sort(first)
    if len(first) == len(codes):
        return Merged(first, row_of, targets, 0)
    order = np.argsort(row_of, kind="stable")
    starts = np.searchsorted(row_of[order], np.arange(len(first)))
    present = np.logical_or.reduceat(targets[order] == 1, starts, axis=0)
    absent = np.logical_or.reduceat(targets[order] == 0, starts, axis=0)
    merged = np.full(present.shape, MISSING, np.float32)
    merged[present & ~absent] = 1
    merged[absent & ~present] = 0
    return Merged(first, row_of, merged, int((present & absent).sum()))
