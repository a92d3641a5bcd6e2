"""A rank-sum test for labels that vary within groups of images that are not independent.

Images of one patient or camera are alike, and so are their labels. Permuting labels over images would ignore
both, and permuting them within groups assumes that the images of a group may be exchanged, which frames of
one session may not. Here only whole groups are taken as independent; within a group anything may depend on
anything, as in Obuchowski's (1997, "Nonparametric analysis of clustered ROC curve data") variance and the
rank-sum tests for clustered data of Rosner and Grove (1999) and Datta and Satten (2005).

Let r_i be twice the mid-rank of image i within its fold less its mean (so that a fold adds up to 0), y_i its
label, m_f the share of positives of the fold, and

    U_g = sum_{i in g} (y_i - m_f) r_i,        T = sum_g U_g = sum_i y_i r_i,

the rank sum of the positives. Under the null the labels of a group say nothing about its ranks, so every U_g
has mean 0, and sum U_g^2 estimates the variance of T whatever the dependence within groups is. Using m_f in
place of its expectation makes U_g a little too small: with w_g the group's share of the fold's images and
labels that are constant within groups,

    E U_g^2 = (1 - 2 w_g + sum_h w_h^2) * its true part of the variance,

so U_g^2 is divided by that factor. For labels that vary it errs on the safe side. Then

    z = T / sqrt(k sum_g U_g^2 / (1 - 2 w_g + sum_h w_h^2)),        p = 1 - Phi(z),

with k = 2 for out-of-fold scores (the derivation in `association` holds for groups as for images) and 1 for a
single test set. Given the sizes |U_g|, T is a sum of random signs where U_g is symmetric around 0, which
ranks nearly are. Such a self-normalized sum has lighter tails than the normal distribution (Efron 1969,
"Student's t-test under symmetry conditions"; Pinelis 1994), so the normal tail is safe with few groups too.

Measured: experiments/benchmarks/grouped_false_alarms.py.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from ..data.labels import MISSING
from .rank_sum import ranks_within_folds


def clustered_rank_sum(
    targets: np.ndarray, scores: np.ndarray, groups: np.ndarray, folds: np.ndarray, stretch: float
) -> tuple[float, float]:
    """Test one attribute, one-sided: do positives score higher?

    Args:
        targets: `(N,)` of 1, 0 and `MISSING`.
        scores: `(N,)`.
        groups: `(N,) int64` from 0; no group has images in two folds.
        folds: `(N,)` numbers.
        stretch: of the null distribution's standard deviation, sqrt(k) above.

    Returns:
        The p-value and the statistic T; 1 and 0 where no group says anything.
    """
    known = targets != MISSING
    _, fold = np.unique(folds[known], return_inverse=True)
    _, group = np.unique(groups[known], return_inverse=True)
    label = (targets[known] == 1).astype(np.float64)
    ranks = ranks_within_folds(scores[known], fold)
    share = np.bincount(fold, label) / np.bincount(fold)
    contribution = np.bincount(group, (label - share[fold]) * ranks)
    statistic, variance = float(contribution.sum()), float((contribution**2 / _kept(group, fold)).sum())
    if variance == 0:
        return 1.0, 0.0
    return float(ndtr(-statistic / (stretch * math.sqrt(variance)))), statistic


def _kept(group: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The factor 1 - 2 w_g + sum_h w_h^2 of each group, `(G,)`; 1 for the only group of its fold."""
    size = np.bincount(group)
    fold_of = np.zeros(size.size, dtype=np.int64)
    fold_of[group] = fold
    weight = size / np.bincount(fold)[fold_of]
    squares = np.bincount(fold_of, weight**2)
    return np.where(weight < 1, 1 - 2 * weight + squares[fold_of], 1.0)
