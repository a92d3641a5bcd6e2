"""Is there any association of scores and labels? Permutation tests for many attributes at once.

The statistic is Mann and Whitney's: the sum of the positives' ranks, taken fold by fold and added up, that
is, AUC with every fold weighted by its pairs. The test is one-sided: only high scores of positives count.

A single test set. Under the null (labels independent of the scores) every arrangement of the labels is
equally likely, so the test is exact, whatever the model is.

Out-of-fold scores. Each fold's test is exact, but the folds' statistics are not independent, and permuting
labels against fixed scores misses that. Take labels y centred within folds and a learner that is linear in
the training labels, s_i = sum_j K_ij y_j over the j of other folds, with a symmetric similarity K of images
(kernel and ridge regression; logistic regression near zero). Over pairs of different folds the statistic is

    T = sum_i y_i s_i = sum_{i != j} y_i K_ij y_j = 2 sum_{i<j} y_i K_ij y_j:

every pair counts twice, once with i tested by a model that saw y_j and once the other way round. For
independent y of unit variance

    Var T = 4 sum_{i<j} K_ij^2,        but        E Var(T | s) = E sum_i s_i^2 = 2 sum_{i<j} K_ij^2

is what permutations of y with s held fixed see: half of it. Without symmetry, 2 sum K_ij K_ji <= sum (K_ij^2
+ K_ji^2) bounds the missing part, so two is the largest factor of a learner that is linear in the labels.
Hence the permutation null is stretched by sqrt(2) around its mean. Measured (ridge and logistic regression
on labels drawn at random, 5 folds; tests/evaluation/test_permutation.py): at a nominal 5%, about 12% false
alarms without and 5% with it. Learners that are not linear in the labels (nearest neighbours, a network of
two layers) had 7% to 9% without and 2% to 3% with it: the stretch errs on the safe side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING
from .folds import double_ranks
from .metrics import CHUNK_CELLS

FOLD_STRETCH = math.sqrt(2)


@dataclass(frozen=True)
class Units:
    """What may be exchanged: each duplicate group once, `G` of them.

    `targets` and `scores` are `(G, L)`: a group has the label that its known copies agree on, `MISSING` where
    they contradict each other, and the mean of their scores. `folds` is `(G,)`, or None.
    """

    targets: np.ndarray
    scores: np.ndarray
    folds: np.ndarray | None

    @property
    def positives(self) -> np.ndarray:
        """`(L,) int64`."""
        return np.count_nonzero(self.targets == 1, axis=0)

    @property
    def negatives(self) -> np.ndarray:
        """`(L,) int64`."""
        return np.count_nonzero(self.targets == 0, axis=0)


def collapse(targets: np.ndarray, scores: np.ndarray, groups: np.ndarray, folds: np.ndarray | None) -> Units:
    """Make one unit of each duplicate group, since copies of one photo are no independent evidence.

    Raises:
        ValueError: a group has copies in two folds, so that its model has seen it.
    """
    numbers, first, group = np.unique(groups, return_index=True, return_inverse=True)
    if folds is not None and np.any(folds != folds[first][group]):
        raise ValueError("the folds tear duplicate groups apart")
    unit_folds = None if folds is None else folds[first]
    if numbers.size == groups.size:
        return Units(targets[first], np.asarray(scores[first], np.float64), unit_folds)
    known = targets != MISSING
    count, present = np.zeros((2, numbers.size, targets.shape[1]), dtype=np.int64)
    total = np.zeros(count.shape)
    low, high = np.full(count.shape, np.inf), np.full(count.shape, -np.inf)
    np.add.at(count, group, known)
    np.add.at(present, group, targets == 1)
    np.add.at(total, group, np.where(known, scores, 0))
    np.minimum.at(low, group, np.where(known, scores, np.inf))
    np.maximum.at(high, group, np.where(known, scores, -np.inf))
    agreed = (count > 0) & ((present == 0) | (present == count))
    labels = np.where(agreed, present > 0, MISSING).astype(np.float32)
    # Rounding must not tell a group of equal scores from another image with that very score.
    means = np.where(low == high, low, total / np.maximum(count, 1))
    return Units(labels, means, unit_folds)


def permutation_p_values(units: Units, permutations: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One-sided p-values of the association, and what was observed.

    p = (1 + number of permutations at least as extreme) / (1 + permutations), which is valid and never 0
    (Phipson and Smyth 2010).

    Returns:
        `(L,) float64` p-values, and `(L,) float64` statistics less their mean under the null: positive where
        positives score higher. Without both classes in any fold: p-value 1 and statistic 0.
    """
    columns = units.targets.shape[1]
    folds = np.zeros(units.targets.shape[0], np.int64) if units.folds is None else units.folds
    rows = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    tests = [[_rank_sum(units, inside, j) for j in range(columns)] for inside in rows]
    observed = np.asarray([[test.observed for test in fold] for fold in tests], dtype=np.float64).sum(axis=0)
    stretch = FOLD_STRETCH if len(rows) > 1 else 1.0
    generator = np.random.default_rng(seed)
    extreme = np.zeros(columns, dtype=np.int64)
    part = max(1, CHUNK_CELLS // max(1, folds.size))
    for begin in range(0, permutations, part):
        null = np.zeros((min(part, permutations - begin), columns))
        for inside, fold in zip(rows, tests, strict=True):
            orders = np.tile(np.arange(inside.size, dtype=np.int32), (null.shape[0], 1))
            generator.permuted(orders, axis=1, out=orders)
            for j, test in enumerate(fold):
                null[:, j] += test.permuted(orders)
        extreme += np.count_nonzero(null * stretch >= observed, axis=0)
    return np.asarray((1 + extreme) / (1 + permutations)), observed


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's (1979) step-down correction: family-wise error under any dependence; nan stay out of it.

    The i-th smallest of m (i from 0) becomes max over k <= i of min(1, (m - k) p_(k)).
    """
    corrected = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return corrected


@dataclass(frozen=True)
class _RankSum:
    """Twice the rank sum of one attribute in one fold, less its mean; ranks are those of known units."""

    ranks: np.ndarray
    """`(n,) int64` of all units of the fold, twice the mid-rank; 0 where the label is not known."""
    known: np.ndarray | None
    """`(n,) bool`; None when all are."""
    drawn: int
    """Size of the smaller class: the ranks of the other one follow from it."""
    sign: int
    mean: int
    observed: int

    def permuted(self, orders: np.ndarray) -> np.ndarray:
        """`(b, n)` orders of the units to `(b,)`: the first known ones of each order are the class drawn."""
        if self.drawn == 0:
            return np.zeros(orders.shape[0], dtype=np.int64)
        if self.known is None:
            sums = np.take(self.ranks, orders[:, : self.drawn]).sum(axis=1)
        else:
            sums = self._first_known(orders, self.known)
        return self.sign * (sums - self.mean)

    def _first_known(self, orders: np.ndarray, known: np.ndarray) -> np.ndarray:
        share = np.count_nonzero(known) / known.size
        # Usually enough: six standard deviations more than are needed on average.
        width = math.ceil((self.drawn + 6 * math.sqrt(self.drawn) + 6) / share)
        head = orders[:, :width]
        place = np.cumsum(np.take(known, head), axis=1, dtype=np.int32)
        if width < known.size and place[:, -1].min() < self.drawn:
            head = orders
            place = np.cumsum(np.take(known, head), axis=1, dtype=np.int32)
        return np.where(place <= self.drawn, np.take(self.ranks, head), 0).sum(axis=1)


def _rank_sum(units: Units, inside: np.ndarray, column: int) -> _RankSum:
    targets = units.targets[inside, column]
    known = targets != MISSING
    ranks = np.zeros(inside.size, dtype=np.int64)
    ranks[known] = double_ranks(units.scores[inside, column][known])
    count, positives = int(np.count_nonzero(known)), int(np.count_nonzero(targets == 1))
    drawn = min(positives, count - positives)
    # Twice the rank has mean n + 1, and all ranks together deviate by nothing.
    observed = int(ranks[targets == 1].sum()) - positives * (count + 1) if drawn else 0
    sign = 1 if positives == drawn else -1
    return _RankSum(ranks, None if known.all() else known, drawn, sign, drawn * (count + 1), observed)
