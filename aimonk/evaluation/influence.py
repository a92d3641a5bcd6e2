"""How much each image moves AP and AUC: standard errors of large sets without resamples.

A bootstrap resample is a weighting w of the images, with mean 1. The derivative of a metric by w_i at w = 1
is the influence of image i, and to first order the bootstrap variance is the sum over groups of the squared
influence of the group, less the mean of its fold since each fold keeps its number of groups: the
infinitesimal jackknife (Jaeckel 1972; Efron 1982, "The Jackknife, the Bootstrap and Other Resampling Plans",
chapter 6). It has no Monte Carlo error and takes one sort per attribute. For AUC it is DeLong's variance,
with groups Obuchowski's (1997).

AUC is A = R / D with R = sum over folds of pairs in right order (ties half) and D of all pairs. A positive i
of a fold with Q negatives, b_i of them below it, adds b_i to R and Q to D:

    A_i = (b_i - A Q) / D,        likewise for a negative with the positives above it.

AP is (1 / P) sum over positives k of f_k / s_k, where s_k counts the images scored no lower than k and f_k
the positives among them. Image i is counted in s_k and f_k for every k scored no higher than i:

    AP_i = (1 / P) (y_i (f_i / s_i - AP) + sum_{k: score_k <= score_i} (y_i - f_k / s_k) / s_k).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING


@dataclass(frozen=True)
class Linearized:
    """One metric of `L` attributes, and to first order how it changes with the weights of the images."""

    values: np.ndarray
    """`(L,) float64`; nan without both classes."""
    influence: np.ndarray
    """`(N, L) float64`: each column adds up to 0, since weighting all images alike changes nothing."""


def linearize_ap(targets: np.ndarray, scores: np.ndarray) -> Linearized:
    """Average precision and its influences.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: `(N, L)`, comparable across folds (see `pool_folds`); nan is allowed where a label is missing.
    """
    values, influence = np.full(targets.shape[1], np.nan), np.zeros(targets.shape)
    for j in range(targets.shape[1]):
        values[j] = _ap(targets[:, j], scores[:, j], influence[:, j])
    return Linearized(values, influence)


def linearize_auc(targets: np.ndarray, scores: np.ndarray, folds: np.ndarray | None) -> Linearized:
    """ROC AUC over the pairs within folds and its influences; `folds` is `(N,)`, or None for one test set."""
    values, influence = np.full(targets.shape[1], np.nan), np.zeros(targets.shape)
    numbers = np.zeros(len(targets), dtype=np.int64) if folds is None else folds
    for j in range(targets.shape[1]):
        values[j] = _auc(targets[:, j], scores[:, j], numbers, influence[:, j])
    return Linearized(values, influence)


def influence_error(influence: np.ndarray, groups: np.ndarray, folds: np.ndarray | None) -> np.ndarray:
    """Standard error of metrics whose groups are drawn as a whole, within folds.

    Args:
        influence: `(N, K)` for `K` metrics.
        groups: `(N,)` numbers; no group has images in two folds.
        folds: `(N,)` numbers, or None.

    Returns:
        `(K,) float64`.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.concatenate(([True], np.diff(groups[order]) != 0)))
    moved = influence if starts.size == groups.size else np.add.reduceat(influence[order], starts, axis=0)
    if folds is None:
        return np.asarray(np.sqrt(len(moved) * moved.var(axis=0)))
    strata = folds if starts.size == groups.size else folds[order[starts]]
    parts = [moved[strata == stratum] for stratum in np.unique(strata)]
    return np.asarray(np.sqrt(sum(len(part) * part.var(axis=0) for part in parts)))


def _ap(targets: np.ndarray, scores: np.ndarray, influence: np.ndarray) -> float:
    """AP of `(N,)` targets and scores; writes the influences into `influence`."""
    known = np.flatnonzero(targets != MISSING)
    order = known[np.argsort(-scores[known], kind="stable")]
    label = (targets[order] == 1).astype(np.float64)
    positives = label.sum()
    if positives in (0, order.size):
        return math.nan
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # tied scores are one step
    seen, found = last + 1.0, np.cumsum(label)[last]
    gained = np.diff(found, prepend=0.0)
    precision = found / seen
    # Sums over the positives from the step itself down to the lowest score.
    once = np.cumsum((gained / seen)[::-1])[::-1]
    squared = np.cumsum((gained * precision / seen)[::-1])[::-1]
    step = np.repeat(np.arange(last.size), np.diff(last, prepend=-1))
    average = float(gained @ precision) / float(positives)
    influence[order] = (label * (precision[step] - average + once[step]) - squared[step]) / positives
    return average


def _auc(targets: np.ndarray, scores: np.ndarray, folds: np.ndarray, influence: np.ndarray) -> float:
    """AUC of `(N,)` targets and scores over pairs within folds; writes the influences into `influence`."""
    known = np.flatnonzero(targets != MISSING)
    order = known[np.lexsort((scores[known], folds[known]))]
    if not order.size:
        return math.nan
    fold, ranked, label = folds[order], scores[order], (targets[order] == 1).astype(np.float64)
    changed = np.concatenate(([True], fold[1:] != fold[:-1]))
    start, number = np.flatnonzero(changed), np.cumsum(changed) - 1
    first = np.flatnonzero(changed | np.concatenate(([True], ranked[1:] != ranked[:-1])))
    positives, negatives = np.add.reduceat(label, start), np.add.reduceat(1 - label, start)
    pairs = float(positives @ negatives)
    if not pairs:
        return math.nan
    below = _before(1 - label, first) - (np.cumsum(negatives) - negatives)[number]
    above = np.cumsum(positives)[number] - _before(label, first)
    auc = float(label @ below) / pairs
    of_positive, of_negative = below - auc * negatives[number], above - auc * positives[number]
    influence[order] = np.where(label == 1, of_positive, of_negative) / pairs
    return auc


def _before(count: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sum of `count` before each image's step of tied scores and half of the step's own: `(n,)`."""
    own = np.add.reduceat(count, first)
    return np.repeat(np.cumsum(own) - own / 2, np.diff(first, append=count.size))
