"""Bootstrap resamples of duplicate groups, as weights of the images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .folds import FoldRanking
from .metrics import CHUNK_CELLS


def resample_groups(
    groups: np.ndarray, folds: np.ndarray | None, resamples: int, seed: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Draw groups with replacement, within each fold; copies of one photo come and go together.

    Args:
        groups: `(N,)` numbers; equal ones are one photo.
        folds: `(N,)` numbers, constant within a group, or None.
        resamples: how many in all.
        seed: of the random generator.

    Yields:
        Which resamples, and their `(b, N) float32` weights: how often each image was drawn. In parts,
        so that memory does not grow with `resamples`.
    """
    generator = np.random.default_rng(seed)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    strata = np.zeros(first.size, dtype=np.int64) if folds is None else folds[first]
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    part = max(1, CHUNK_CELLS // max(1, groups.size))
    for begin in range(0, resamples, part):
        rows = slice(begin, min(begin + part, resamples))
        counts = np.zeros((rows.stop - begin, first.size), dtype=np.float32)
        for inside in members:
            counts[:, inside] = _draw(generator, counts.shape[0], inside.size)
        yield rows, np.take(counts, group, axis=1)


def resampled_metrics(
    rankings: tuple[FoldRanking, ...], groups: np.ndarray, folds: np.ndarray | None, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """AP and AUC of every resample: `(resamples, L) float64` each, nan where a class was not drawn."""
    ap = np.empty((resamples, len(rankings)))
    auc = np.empty_like(ap)
    for rows, weights in resample_groups(groups, folds, resamples, seed):
        for j, ranking in enumerate(rankings):
            ap[rows, j], auc[rows, j] = ranking.both(weights)
    return ap, auc


def _draw(generator: np.random.Generator, rows: int, size: int) -> np.ndarray:
    """How often each of `size` items comes up in `size` draws with replacement: `(rows, size) int64`."""
    drawn = generator.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
