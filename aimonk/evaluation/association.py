"""Is there any association of scores and labels? A one-sided test per attribute: do positives score higher?

The statistic is Mann and Whitney's, see `rank_sum`. Groups of images, not images, are independent, see
`units`.

A single test set. Under the null the labels are independent of the scores. Where labels are constant within
groups, every arrangement of them over the groups is equally likely, so the permutation test is exact,
whatever the model is. Its tail is computed (`saddlepoint`) or, with many ties, sampled (`permutation`). Where
labels vary within groups, the test takes only the groups as independent (`clustered_rank_sum`).

Out-of-fold scores. Each fold's test is exact, but the folds' statistics are not independent, and permuting
labels against fixed scores misses that. Take labels y centered within folds and a learner that is linear in
the training labels, s_i = sum_j K_ij y_j over the j of other folds, with a symmetric similarity K of images
(kernel and ridge regression; logistic regression near zero). Over pairs of different folds the statistic is

    T = sum_i y_i s_i = sum_{i != j} y_i K_ij y_j = 2 sum_{i<j} y_i K_ij y_j:

every pair counts twice, once with i tested by a model that saw y_j and once the other way round. For
independent y of unit variance

    Var T = 4 sum_{i<j} K_ij^2,        but        E Var(T | s) = E sum_i s_i^2 = 2 sum_{i<j} K_ij^2

is what permutations of y with s held fixed see: half of it. Without symmetry, 2 sum K_ij K_ji <= sum (K_ij^2
+ K_ji^2) bounds the missing part, so two is the largest factor of a learner that is linear in the labels.
With groups the same holds for the vectors y_g of their labels and the blocks K_gh: T = sum_{g != h} y_g' K_gh
y_h has variance 4 sum_{g<h} E (y_g' K_gh y_h)^2, twice what is seen with s held fixed. Hence the null is
stretched by sqrt(2) around its mean.

Measured (ridge and logistic regression on labels drawn at random, 5 folds;
tests/evaluation/test_association.py): at a nominal 5%, about 12% false alarms without the stretch and 5% with
it. Learners that are not linear in the labels (nearest neighbors, a network of two layers) had 7% to 9%
without and 2% to 3% with it: the stretch errs on the safe side. With groups:
experiments/benchmarks/grouped_false_alarms.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .clustered_rank_sum import clustered_rank_sum
from .permutation import permuted_p_value, tied_share
from .rank_sum import least_reached, rank_sum
from .saddlepoint import permutation_tail
from .units import Units

FOLD_STRETCH = math.sqrt(2)
MANY_TIES = 0.1
"""Where more pairs than this share have equal scores, permutations are drawn."""


@dataclass(frozen=True)
class Association:
    """The result for `L` attributes, each `(L,) float64`."""

    p_values: np.ndarray
    """nan for attributes that were not tested."""
    statistics: np.ndarray
    """Less their mean under the null: positive where positives score higher."""


def associate(
    units: Units,
    targets: np.ndarray,
    scores: np.ndarray,
    groups: np.ndarray,
    folds: np.ndarray | None,
    tested: np.ndarray,
    permutations: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Association:
    """Test the attributes that `tested`, `(L,) bool`, selects.

    Args:
        units: `collapse(targets, scores, groups, folds)`.
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: `(N, L)`, higher means present.
        groups: `(N,)` numbers; equal ones are one group.
        folds: `(N,)` numbers, or None for a single test set.
        tested: attributes with enough groups of both classes.
        permutations: for attributes with many ties.
        seed: of those.
        progress: called with (attributes, attributes in all) before each one.

    Returns:
        p-values, 1 where there is no arrangement but the observed one, and statistics.
    """
    stretch = 1.0 if folds is None or np.unique(folds).size < 2 else FOLD_STRETCH
    p_values, statistics = np.full(tested.size, np.nan), np.zeros(tested.size)
    unit_folds = np.zeros(len(units.targets), np.int64) if units.folds is None else units.folds
    image_folds = np.zeros(len(targets), np.int64) if folds is None else folds
    for j in np.flatnonzero(tested):
        if progress is not None:
            progress(int(j), tested.size)
        if units.varying[j]:
            p_values[j], statistics[j] = clustered_rank_sum(
                targets[:, j], scores[:, j], groups, image_folds, stretch
            )
            continue
        statistic = rank_sum(units.targets[:, j], units.scores[:, j], unit_folds)
        statistics[j] = statistic.observed
        if tied_share(statistic) > MANY_TIES:
            p_values[j] = permuted_p_value(statistic, stretch, permutations, seed)
        else:
            p_values[j] = permutation_tail(statistic, least_reached(statistic, stretch))
    return Association(p_values, statistics)
