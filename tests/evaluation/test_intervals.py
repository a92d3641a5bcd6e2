import math

import numpy as np
import pytest
from scipy.special import expit, logit

from aimonk.evaluation.intervals import ap_interval, auc_interval, mean_interval

SPREAD = np.array([-1.0, 1.0])  # sample standard deviation sqrt(2)


def test_ap_interval_by_hand():
    # sd 0.1 over 0.5 * 0.5; t of 9 degrees of freedom is 2.2622.
    interval = ap_interval(0.5, 0.5 + 0.1 / math.sqrt(2) * SPREAD, units=10)
    reach = 2.262157 * 0.1 / 0.25
    assert interval.value == 0.5
    assert interval.low == pytest.approx(expit(-reach), abs=1e-6)
    assert interval.high == pytest.approx(expit(reach), abs=1e-6)


def test_auc_interval_by_hand():
    # With many pairs, logit(0.6) = -logit(0.4) = 0.405465, so sd(logit) = 0.405465 * sqrt(2).
    interval = auc_interval(0.5, np.array([0.4, 0.6]), units=61, pairs=10**9)
    error = (2 * 0.1 * math.sqrt(2) / 0.25 + 0.405465 * math.sqrt(2)) / 3
    assert interval.high == pytest.approx(expit(2.000298 * error), abs=1e-6)
    assert interval.low == pytest.approx(1 - interval.high)


def test_mean_interval_leaves_out_what_is_not_defined():
    values = np.array([0.4, np.nan, 0.6])
    resampled = np.array([[0.3, np.nan, 0.6], [0.5, np.nan, np.nan]])
    # Means 0.45 and 0.55, the missing draw keeping its estimate; sd 0.1 / sqrt 2.
    interval = mean_interval(values, resampled, units=10)
    assert interval.value == pytest.approx(0.5)
    assert logit(interval.high) == pytest.approx(2.262157 * 0.1 / math.sqrt(2) / 0.25, rel=1e-6)


def test_resamples_without_a_positive_do_not_count():
    with_holes = np.array([0.4, np.nan, 0.6, np.nan])
    assert ap_interval(0.5, with_holes, 10) == ap_interval(0.5, np.array([0.4, 0.6]), 10)


@pytest.mark.parametrize(("units", "low"), [(1, 0.025), (10, 0.691502), (50, 0.928878)])
def test_a_perfect_ranking_is_not_certainty(units, low):
    for interval in (ap_interval(1.0, np.ones(9), units), auc_interval(1.0, np.ones(9), units, 999)):
        assert (interval.value, interval.high) == (1, 1)
        assert interval.low == pytest.approx(low, abs=1e-6)
    assert auc_interval(0.0, np.zeros(9), units, 999).high == pytest.approx(1 - low, abs=1e-6)


def test_constant_scores_have_an_auc_of_one_half_exactly():
    interval = auc_interval(0.5, np.full(9, 0.5), 10, 999)
    assert (interval.low, interval.value, interval.high) == (0.5, 0.5, 0.5)


def test_undefined_stays_undefined():
    nothing = np.full(4, np.nan)
    for interval in (
        ap_interval(math.nan, nothing, 0),
        auc_interval(math.nan, nothing, 0, 0),
        mean_interval(np.array([math.nan]), nothing[:, None], 0),
    ):
        assert math.isnan(interval.value) and math.isnan(interval.low) and math.isnan(interval.high)
