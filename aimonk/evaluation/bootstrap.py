"""Bootstrap resamples of groups, as weights of the images.

The standard deviation of B resamples estimates the standard error with a relative Monte Carlo error of about
1 / sqrt(2 (B - 1)): 1.6% for 2,000, 3.5% for 400, which is what many attributes get. Only attributes with few
groups of the rarer class are resampled at all (see `metric_errors`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .folds import FoldRanking
from .metrics import CHUNK_CELLS

FEWEST_RESAMPLES = 400
MANY_CELLS = 100_000_000
"""Images times attributes times resamples: more than this is cut down to `FEWEST_RESAMPLES` at the lowest."""


def affordable_resamples(resamples: int, images: int, attributes: int) -> int:
    """Return how many of the resamples asked for are drawn for so many images and attributes.

    >>> affordable_resamples(2000, 1500, 23), affordable_resamples(2000, 1500, 500)
    (2000, 400)
    """
    affordable = MANY_CELLS // max(1, images * attributes)
    return min(resamples, max(FEWEST_RESAMPLES, affordable))


def resample_groups(
    groups: np.ndarray, folds: np.ndarray | None, resamples: int, seed: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Draw groups with replacement within each fold; the images of a group are drawn together.

    Args:
        groups: `(N,)` numbers; equal ones are one group.
        folds: `(N,)` numbers, constant within a group, or None.
        resamples: how many in all.
        seed: of the random generator.

    Yields:
        Which resamples, and their `(b, N) float32` weights: how often each image was drawn. They come in
        parts, so that memory does not grow with `resamples`.
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


def spread(draws: np.ndarray) -> np.ndarray:
    """Standard deviation of `(B, K)` resampled values, `(K,)`; nan with fewer than two that are defined."""
    defined = np.isfinite(draws)
    count = defined.sum(axis=0)
    mean = np.where(defined, draws, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(defined, (draws - mean) ** 2, 0.0).sum(axis=0)
    return np.asarray(
        np.sqrt(np.divide(squares, count - 1, out=np.full(count.shape, np.nan), where=count > 1))
    )


def _draw(generator: np.random.Generator, rows: int, size: int) -> np.ndarray:
    """How often each of `size` items comes up in `size` draws with replacement: `(rows, size) int64`."""
    drawn = generator.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
