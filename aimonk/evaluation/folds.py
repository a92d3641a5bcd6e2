"""Scores of k models on k folds, made comparable without looking at a label.

Raw scores of different folds must not be pooled. A fold with many positives leaves few to its training set,
whose model therefore scores a little lower: pooled, the AUC of a model without skill falls below 0.5 (Forman
and Scholz 2010, "Apples-to-apples in cross-validation studies").

* AUC counts the pairs within folds only: it is the mean of the fold AUCs, each weighted by its pairs. Given
the
  scores, every arrangement of the labels within a fold is equally likely under the null, so its expectation
  is exactly 0.5.
* AP averaged over folds would be biased the other way: without skill its expectation exceeds the prevalence
by
  about log(n) / n, which is large for the few images of one fold. So scores become percentiles within their
  fold, and AP is computed once over all images. The percentiles of each fold fill (0, 1) evenly whatever its
  labels are, so the pooled order says no more than the scores did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING
from .metrics import Ranking, rank, ratio


@dataclass(frozen=True)
class FoldRanking:
    """One attribute's images: ranked together for AP, fold by fold for AUC."""

    pooled: Ranking
    within: tuple[Ranking, ...]
    """Empty without folds: AUC then comes from `pooled`."""

    def both(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """AP and AUC, each `(B,) float64`, for `(B, N)` weights of all images; nan without both classes."""
        if not self.within:
            return self.pooled.both(weights)
        pairs = [fold.pairs(weights) for fold in self.within]
        right, every = (np.sum(parts, axis=0) for parts in zip(*pairs, strict=True))
        return self.pooled.average_precision(weights), ratio(right, every)


def fold_rankings(
    targets: np.ndarray, scores: np.ndarray, folds: np.ndarray | None
) -> tuple[FoldRanking, ...]:
    """Rank every attribute: `(N, L)` targets and scores, `(N,)` fold numbers or None for one test set."""
    columns = range(targets.shape[1])
    if folds is None:
        return tuple(FoldRanking(rank(targets[:, j], scores[:, j]), ()) for j in columns)
    pooled = pool_folds(targets, scores, folds)
    members = [folds == fold for fold in np.unique(folds)]
    return tuple(
        FoldRanking(rank(targets[:, j], pooled[:, j]), _rank_within(targets[:, j], scores[:, j], members))
        for j in columns
    )


def pool_folds(targets: np.ndarray, scores: np.ndarray, folds: np.ndarray | None) -> np.ndarray:
    """Percentiles of the scores among the known images of the same fold and attribute.

    Args:
        targets: `(N, L)`; only whether a label is missing is used, never its value.
        scores: `(N, L)`.
        folds: `(N,)` fold numbers, or None: then the scores are returned as they are.

    Returns:
        `(N, L) float64` in (0, 1), increasing with the score within a fold; nan where the label is missing.
        The i-th best of one fold is not tied with the i-th best of another, since AP takes tied scores as one
        step and would read k tied folds as a coarser ranking. Which fold comes first alternates.
    """
    if folds is None:
        return scores
    numbers = np.unique(folds)
    pooled = np.full(scores.shape, np.nan)
    for place, fold in enumerate(numbers):
        inside = np.flatnonzero(folds == fold)
        for j in range(scores.shape[1]):
            rows = inside[targets[inside, j] != MISSING]
            if rows.size:
                level = double_ranks(scores[rows, j]) / 2 - 1
                turn = (place + np.floor(level)) % numbers.size
                pooled[rows, j] = (level + (turn + 0.5) / numbers.size) / rows.size
    return pooled


def double_ranks(values: np.ndarray) -> np.ndarray:
    """Twice the mid-ranks (1-based, ties averaged) of `(n,)` values: whole numbers, `(n,) int64`."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (2 * np.cumsum(counts) - counts + 1)[place]


def _rank_within(
    targets: np.ndarray, scores: np.ndarray, members: Sequence[np.ndarray]
) -> tuple[Ranking, ...]:
    return tuple(rank(np.where(inside, targets, MISSING), scores) for inside in members)
