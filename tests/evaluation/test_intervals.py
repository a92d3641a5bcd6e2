import math

import numpy as np
import pytest
from scipy.special import expit

from aimonk.evaluation.intervals import auc_logit_error, logit_interval


def test_delta_method_by_hand() -> None:
    # 0.1 over 0.5 * 0.5; t of 9 degrees of freedom is 2.2622.
    interval = logit_interval(0.5, 0.1, units=10)
    reach = 2.262157 * 0.1 / 0.25
    assert interval.value == 0.5
    assert interval.low == pytest.approx(expit(-reach), abs=1e-6)
    assert interval.high == pytest.approx(expit(reach), abs=1e-6)


def test_auc_interval_by_hand() -> None:
    # With many pairs, logit(0.6) = -logit(0.4) = 0.405465, so sd(logit) = 0.405465 * sqrt(2).
    error = auc_logit_error(0.5, np.array([0.4, 0.6, np.nan]), pairs=10**9)
    assert error == pytest.approx((2 * 0.1 * math.sqrt(2) / 0.25 + 0.405465 * math.sqrt(2)) / 3, rel=1e-5)
    interval = logit_interval(0.5, 0.1 * math.sqrt(2), 61, error)
    assert interval.high == pytest.approx(expit(2.000298 * error), abs=1e-6)
    assert interval.low == pytest.approx(1 - interval.high)


@pytest.mark.parametrize(("units", "low"), [(1, 0.025), (10, 0.691502), (50, 0.928878)])
def test_a_perfect_ranking_is_not_certainty(units: int, low: float) -> None:
    interval = logit_interval(1.0, 0.0, units, auc_logit_error(1.0, np.ones(9), 999))
    assert (interval.value, interval.high) == (1, 1)
    assert interval.low == pytest.approx(low, abs=1e-6)
    assert logit_interval(0.0, 0.0, units).high == pytest.approx(1 - low, abs=1e-6)


def test_constant_scores_have_an_auc_of_one_half_exactly() -> None:
    interval = logit_interval(0.5, 0.0, 10, auc_logit_error(0.5, np.full(9, 0.5), 999))
    assert (interval.low, interval.value, interval.high) == (0.5, 0.5, 0.5)


def test_undefined_stays_undefined() -> None:
    assert math.isnan(logit_interval(math.nan, math.nan, 0).value)
    assert math.isnan(logit_interval(math.nan, 0.1, 10).low)
    unknown_error = logit_interval(0.5, math.nan, 10)
    assert unknown_error.value == 0.5 and math.isnan(unknown_error.low) and math.isnan(unknown_error.high)
