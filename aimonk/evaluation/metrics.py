"""Average precision and ROC AUC of many attributes at once, with missing labels and with weights.

A `Ranking` sorts the scores of one attribute once. Each weighting of its images then costs one cumulative
sum. A bootstrap resample is such a weighting: how often each image was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING

CHUNK_CELLS = 1 << 18
"""Cells of a (resamples, images) matrix computed at once, so that it stays in the processor's cache."""


@dataclass(frozen=True)
class Ranking:
    """The known images of one attribute by descending score; tied scores form one step.

    Only steps that hold a positive contribute to the metrics. `start` and `end` delimit each of them in the
    sorted images, `first` and `last` in the sorted positives: all `(K,) int64`.
    """

    order: np.ndarray
    """`(n,) int64`: image numbers by descending score."""
    hits: np.ndarray
    """`(p,) int64`: places of the positives within `order`, ascending."""
    start: np.ndarray
    end: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """AP, `(B,) float64`, for `(B, N)` weights of all images; nan where a class has no weight."""
        return self._average_precision(self._cumulate(weights))

    def pairs(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the (positive, negative) pairs in right order, and of all pairs: each `(B,) float64`.

        A tied pair counts half, so the ratio is the ROC AUC (Mann and Whitney 1947).
        """
        return self._pairs(self._cumulate(weights))

    def both(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Average precision and ROC AUC, each `(B,) float64`, from one pass."""
        sums = self._cumulate(weights)
        return self._average_precision(sums), ratio(*self._pairs(sums))

    def _cumulate(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the first i images, and of the first i positives, i from 0: `(B, n+1)`, `(B, p+1)`."""
        ranked = np.take(weights, self.order, axis=1)
        return _cumulative(ranked), _cumulative(np.take(ranked, self.hits, axis=1))

    def _average_precision(self, sums: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        seen, found = sums[0][:, self.end], sums[1][:, self.last]
        gained = found - sums[1][:, self.first]
        # Nothing seen means nothing gained, so the divisor may be anything there.
        precision = found / np.where(seen > 0, seen, 1)
        total, positive = sums[0][:, -1].astype(np.float64), sums[1][:, -1].astype(np.float64)
        area = np.einsum("bk,bk->b", gained, precision, dtype=np.float64)
        return np.where(total > positive, ratio(area, positive), np.nan)

    def _pairs(self, sums: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        before, after = sums[1][:, self.first], sums[1][:, self.last]
        # Negatives above a step beat its positives; those within it tie with them.
        beaten_by = (sums[0][:, self.start] - before + sums[0][:, self.end] - after) / 2
        positive = sums[1][:, -1].astype(np.float64)
        every = positive * (sums[0][:, -1] - positive)
        return every - np.einsum("bk,bk->b", after - before, beaten_by, dtype=np.float64), every


def rank(targets: np.ndarray, scores: np.ndarray) -> Ranking:
    """Sort the known images of one attribute; `targets` and `scores` are `(N,)`."""
    known = np.flatnonzero(targets != MISSING)
    order = known[np.argsort(-scores[known], kind="stable")]
    ranked = scores[order]
    hits = np.flatnonzero(targets[order] == 1)
    steps = np.flatnonzero(np.concatenate(([order.size > 0], ranked[1:] != ranked[:-1])))
    used, first = np.unique(np.searchsorted(steps, hits, side="right") - 1, return_index=True)
    bounds, last = np.append(steps, order.size), np.append(first[1:], hits.size)[: used.size]
    return Ranking(order, hits, bounds[used], bounds[used + 1], first, last)


def average_precision(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision per attribute, as scikit-learn's `average_precision_score` defines it.

    AP = sum over steps k of (recall_k - recall_{k-1}) * precision_k, where tied scores are one step.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: `(N, L)`, higher means present; any increasing function of them gives the same result.

    Returns:
        `(L,) float64`; nan where no positive or no negative is known.
    """
    return _per_attribute(targets, scores)[0]


def roc_auc(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve per attribute, tied pairs counting half; shapes as `average_precision`."""
    return _per_attribute(targets, scores)[1]


def f_measure(hits: np.ndarray, predicted: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """F1 = 2 hits / (predicted + positives); 0 where nothing is predicted and nothing is there."""
    return np.asarray(2 * hits / np.maximum(predicted + positives, 1))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, nan where `whole` is 0."""
    return np.asarray(
        np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
    )


def _per_attribute(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if targets.shape != scores.shape:
        raise ValueError(f"targets {targets.shape} and scores {scores.shape} differ in shape")
    once = np.ones((1, targets.shape[0]))
    both = [rank(targets[:, j], scores[:, j]).both(once) for j in range(targets.shape[1])]
    values = np.array(both, dtype=np.float64).reshape(-1, 2)
    return values[:, 0], values[:, 1]


def _cumulative(weights: np.ndarray) -> np.ndarray:
    """Row-wise cumulative sums that start with 0."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1), dtype=weights.dtype)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
