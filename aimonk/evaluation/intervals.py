"""95% confidence intervals of AP and AUC from a bootstrap: symmetric on the logit scale.

Percentile intervals cover less than 92% for small sets and for scores near 1 (the seed's situation: a rare
attribute). Intervals on the logit scale stay inside (0, 1) and are the best of those that Boyd, Eng and
Page (2013, "Area under the precision-recall curve: point estimates and confidence intervals") compare. Here

    logit(v) -+ t * se,    t the 97.5% quantile of Student's distribution with m - 1 degrees of freedom,

where m counts the duplicate groups of the rarer class, for it is these few that carry the information. The
standard error comes from the resamples v*, in one of two ways that are equal in large sets:

    (a) sd(v*) / (v (1 - v)), the delta method: a little too small near 1 with few positives;
    (b) sd(logit v*), which there is too large, resamples with v* = 1 being common.

Measured over the grid of experiments/benchmarks/interval_coverage.py, AP covers best by (a), and AUC by two
parts of (a) and one of (b). The truth is what a population has from which images are drawn at random, so the
number of positives varies as well; for a fixed number the intervals of AP, which depends on it, are too wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, stdtrit


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95% confidence interval; nan where it is not defined."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(math.nan, math.nan, math.nan)
TAIL = 0.025


def ap_interval(value: float, resampled: np.ndarray, units: int) -> Interval:
    """Interval of an average precision.

    Args:
        value: the estimate.
        resampled: `(B,)` estimates of the bootstrap resamples; nan where one had no positive.
        units: duplicate groups of the rarer class.
    """
    if not _usable(value, units):
        return UNDEFINED
    error = float(np.nanstd(resampled, ddof=1))
    if _blind(value, error):
        return _without_error(value, units)
    return _logit_interval(value, error / (value * (1 - value)), units)


def auc_interval(value: float, resampled: np.ndarray, units: int, pairs: int) -> Interval:
    """Interval of a ROC AUC; `pairs` counts the pairs of a positive and a negative."""
    if not _usable(value, units):
        return UNDEFINED
    error = float(np.nanstd(resampled, ddof=1))
    if _blind(value, error):
        return _without_error(value, units)
    # Half a pair keeps the logit of a perfect resample finite.
    odds = (resampled * pairs + 0.5) / ((1 - resampled) * pairs + 0.5)
    direct = float(np.nanstd(np.log(odds), ddof=1))
    return _logit_interval(value, (2 * error / (value * (1 - value)) + direct) / 3, units)


def mean_interval(values: np.ndarray, resampled: np.ndarray, units: int) -> Interval:
    """Interval of the mean over attributes; `(L,)` estimates, nan left out, and `(B, L)` resampled ones."""
    defined = np.isfinite(values)
    if not defined.any():
        return UNDEFINED
    value = float(values[defined].mean())
    # An attribute that a resample has no positive of keeps its estimate there, so the mean does not jump.
    filled = np.where(np.isfinite(resampled[:, defined]), resampled[:, defined], values[defined])
    error = float(np.std(filled.mean(axis=1), ddof=1))
    if _blind(value, error):
        return _without_error(value, units)
    return _logit_interval(value, error / (value * (1 - value)), units)


def _logit_interval(value: float, error: float, units: int) -> Interval:
    reach = float(stdtrit(max(units - 1, 1), 1 - TAIL)) * error
    return Interval(value, float(expit(logit(value) - reach)), float(expit(logit(value) + reach)))


def _without_error(value: float, units: int) -> Interval:
    """Where no resample differs (all scores tied, or a perfect ranking) the bootstrap is blind.

    A perfect ranking of m units: if each were well placed with probability q only, all of them would be
    with probability q**m; below q = 0.025 ** (1 / m) that is too rare to believe (Clopper and Pearson).
    """
    bound = TAIL ** (1 / units)
    if value >= 1:
        return Interval(value, bound, 1.0)
    if value <= 0:
        return Interval(value, 0.0, 1 - bound)
    return Interval(value, value, value)


def _usable(value: float, units: int) -> bool:
    return math.isfinite(value) and units > 0


def _blind(value: float, error: float) -> bool:
    return not (0 < value < 1 and error > 0)
