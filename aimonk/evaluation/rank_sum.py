"""The rank sum of the positives, fold by fold, and its exact null moments.

The statistic is Mann and Whitney's (1947): the sum of the positives' ranks. It is taken within each fold and
added over the folds, so it orders arrangements of the labels as AUC does, each fold weighted by its pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING


@dataclass(frozen=True)
class RankSum:
    """One attribute's known units, sorted by fold, in the folds that hold both classes."""

    ranks: np.ndarray
    """`(n,) int64`: twice the mid-rank within the fold, less its mean, so that each fold adds up to 0."""
    positive: np.ndarray
    """`(n,) bool`."""
    starts: np.ndarray
    """`(F,) int64`: where each fold begins."""

    @property
    def observed(self) -> int:
        """The statistic: 0 on average under the null, positive where positives score higher."""
        return int(self.ranks[self.positive].sum())

    @property
    def sizes(self) -> np.ndarray:
        """`(F,) int64`: units of each fold."""
        return np.diff(self.starts, append=self.ranks.size)

    @property
    def positives(self) -> np.ndarray:
        """`(F,) int64`: positives of each fold."""
        return _per_fold(self.positive.astype(np.int64), self.starts)

    @property
    def variance(self) -> float:
        """Variance over all arrangements of the labels within folds, ties included.

        Drawing P of n ranks a_i without replacement, with sum a_i = 0, gives the sum a variance of
        P (n - P) / (n (n - 1)) * sum a_i^2 (Lehmann 1975, "Nonparametrics", appendix 4). Folds add up.
        """
        sizes, positives = self.sizes, self.positives
        squares = _per_fold(self.ranks.astype(np.float64) ** 2, self.starts)
        return float((positives * (sizes - positives) / (sizes * np.maximum(sizes - 1, 1)) * squares).sum())

    @property
    def span(self) -> int:
        """The distance between neighboring values of the statistic: 2 without ties, more with many."""
        first = np.repeat(self.ranks[self.starts], self.sizes)
        return int(np.gcd.reduce(self.ranks - first)) if self.ranks.size else 0


def rank_sum(targets: np.ndarray, scores: np.ndarray, folds: np.ndarray) -> RankSum:
    """Rank one attribute; `targets`, `scores` and `folds` are `(G,)`.

    Folds without both classes are left out: there is only one arrangement of their labels.

    >>> rank_sum(np.array([1, 0, 0]), np.array([0.9, 0.1, 0.5]), np.zeros(3, int)).observed
    2
    """
    known = np.flatnonzero(targets != MISSING)
    order = known[np.lexsort((scores[known], folds[known]))]
    fold, positive = folds[order], targets[order] == 1
    if order.size:
        starts = _starts(fold[1:] != fold[:-1])
        found = _per_fold(positive.astype(np.int64), starts)
        sizes = np.diff(starts, append=order.size)
        kept = np.repeat((found > 0) & (found < sizes), sizes)
        order, fold, positive = order[kept], fold[kept], positive[kept]
    starts = _starts(fold[1:] != fold[:-1])[: order.size]
    return RankSum(_centered_ranks(scores[order], fold, starts), positive, starts)


def ranks_within_folds(scores: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Twice the mid-rank within the fold less its mean, `(n,) int64`, for `(n,)` scores and fold numbers."""
    order = np.lexsort((scores, folds))
    fold = folds[order]
    ranks = np.empty(order.size, dtype=np.int64)
    ranks[order] = _centered_ranks(scores[order], fold, _starts(fold[1:] != fold[:-1]))
    return ranks


def _centered_ranks(scores: np.ndarray, fold: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Rank scores that are sorted by fold and, within it, ascending."""
    if not scores.size:
        return np.zeros(0, dtype=np.int64)
    steps = _starts((scores[1:] != scores[:-1]) | (fold[1:] != fold[:-1]))
    counts = np.diff(steps, append=scores.size)
    sizes = np.diff(starts, append=scores.size)
    # Units before the step, half of its own, all from the start of the fold; n + 1 is twice the mean rank.
    doubled = np.repeat(2 * steps + counts + 1, counts)
    return np.asarray(doubled - np.repeat(2 * starts + sizes + 1, sizes), dtype=np.int64)


def _starts(changes: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.flatnonzero(changes) + 1))


def _per_fold(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) if values.size else np.zeros(0, dtype=values.dtype)


def least_reached(statistic: RankSum, stretch: float) -> float:
    """Find the smallest value v of the statistic with `stretch * v >= observed`.

    The statistic takes the values `observed + k * span`, k any whole number.
    """
    observed, span = statistic.observed, statistic.span
    if span == 0:
        return float(observed)
    steps = math.floor((observed - observed / stretch) / span + 1e-9)
    return float(observed - span * steps)
