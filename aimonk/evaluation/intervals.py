"""95% confidence intervals of AP and AUC, symmetric on the logit scale.

Percentile intervals of a bootstrap cover less than 92% for small sets and for scores near 1, as with a rare
attribute. Intervals on the logit scale stay inside (0, 1) and are the best of those that Boyd, Eng and Page
(2013, "Area under the precision-recall curve: point estimates and confidence intervals") compare. Here

    logit(v) -+ t * se,    t the 97.5% quantile of Student's distribution with m - 1 degrees of freedom,

where m counts the groups of the rarer class, since these few carry the information. The standard error comes
from resamples v* in one of two ways, which are equal in large sets:

    (a) sd(v*) / (v (1 - v)), the delta method: a little too small near 1 with few positives;
    (b) sd(logit v*), which is too large there, since resamples with v* = 1 are common.

Measured over the grid of experiments/benchmarks/interval_coverage.py, AP covers best by (a), and AUC by two
parts of (a) and one of (b). With many groups sd(v*) is computed without resamples and only (a) is used (see
`metric_errors`). The truth is what a population has from which images are drawn at random, so the number of
positives varies as well. AP depends on that number, so its intervals are too wide where it is fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, stdtrit

from .bootstrap import spread


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95% confidence interval; nan where it is not defined."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(math.nan, math.nan, math.nan)
TAIL = 0.025


def logit_interval(value: float, error: float, units: int, logit_error: float | None = None) -> Interval:
    """Interval of a metric in (0, 1), or of a mean of such metrics.

    Args:
        value: the estimate.
        error: its standard error.
        units: groups of the rarer class.
        logit_error: standard error of its logit; by default, from `error` by the delta method.

    >>> interval = logit_interval(0.8, 0.04, 50)
    >>> round(interval.low, 2), round(interval.high, 2)
    (0.71, 0.87)
    """
    if not (math.isfinite(value) and units > 0):
        return UNDEFINED
    if math.isnan(error):
        return Interval(value, math.nan, math.nan)
    if not (0 < value < 1 and error > 0):
        return _without_error(value, units)
    reach = student(units) * (error / (value * (1 - value)) if logit_error is None else logit_error)
    return Interval(value, float(expit(logit(value) - reach)), float(expit(logit(value) + reach)))


def auc_logit_error(value: float, resampled: np.ndarray, pairs: int) -> float:
    """Two parts of (a) and one of (b); nan where `value` is 0 or 1.

    Args:
        value: the AUC.
        resampled: `(B,)` AUCs of the resamples; nan where a class was not drawn.
        pairs: of a positive and a negative image. Half a pair keeps the logit of a perfect resample finite.
    """
    if not 0 < value < 1:
        return math.nan
    odds = (resampled * pairs + 0.5) / ((1 - resampled) * pairs + 0.5)
    error, direct = spread(np.stack([resampled, np.log(odds)], axis=1)).tolist()
    return float((2 * error / (value * (1 - value)) + direct) / 3)


def student(units: int) -> float:
    """97.5% quantile of Student's distribution for so many groups of the rarer class."""
    return float(stdtrit(max(units - 1, 1), 1 - TAIL))


def _without_error(value: float, units: int) -> Interval:
    """Where nothing varies (all scores tied, or a perfect ranking) the standard error is blind.

    A perfect ranking of m units: if each were well placed with probability q only, all of them would be
    with probability q**m; below q = 0.025 ** (1 / m) that is too rare to believe (Clopper and Pearson).
    """
    bound = TAIL ** (1 / units)
    if value >= 1:
        return Interval(value, bound, 1.0)
    if value <= 0:
        return Interval(value, 0.0, 1 - bound)
    return Interval(value, value, value)
