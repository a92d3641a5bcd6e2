import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation import metric_errors
from aimonk.evaluation.influence import Linearized
from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.metric_errors import MetricIntervals, metric_intervals, metric_with_errors
from aimonk.evaluation.metrics import average_precision, roc_auc


def draw(
    images: int, prevalences: list[float], signal: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    targets = (generator.random((images, len(prevalences))) < prevalences).astype(np.float32)
    return targets, generator.normal(size=targets.shape) + signal * targets


def estimate(targets: np.ndarray, scores: np.ndarray, resamples: int = 2000) -> MetricIntervals:
    rarer = np.minimum((targets == 1).sum(axis=0), (targets == 0).sum(axis=0))
    return metric_intervals(targets, scores, np.arange(len(targets)), None, rarer, resamples, 0)


def width(interval: Interval) -> float:
    return interval.high - interval.low


def test_values_are_those_of_the_metrics() -> None:
    targets, scores = draw(300, [0.1, 0.8])
    targets[:20] = MISSING
    found = estimate(targets, scores)
    assert [interval.value for interval in found.ap] == pytest.approx(average_precision(targets, scores))
    assert [interval.value for interval in found.auc] == pytest.approx(roc_auc(targets, scores))


def test_both_ways_agree_where_they_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, scores = draw(1000, [0.25, 0.5, 0.7])
    linear = estimate(targets, scores)
    monkeypatch.setattr(metric_errors, "MANY_GROUPS", 10**9)
    resampled = estimate(targets, scores)
    for one, other in zip((*linear.ap, *linear.auc), (*resampled.ap, *resampled.auc), strict=True):
        assert width(one) == pytest.approx(width(other), rel=0.08)
    assert width(linear.mean_ap) == pytest.approx(width(resampled.mean_ap), rel=0.08)


def test_the_mean_scales_influences_to_the_errors_found() -> None:
    influence = np.array([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0]])
    values = np.array([0.4, 0.6, np.nan])
    # Errors sqrt(2) and 2 sqrt(2); the second is found to be half of it. Both vary together: (1 + 1) / 2.
    drawn = np.array([np.nan, np.sqrt(2), np.nan])
    found = metric_with_errors(
        lambda some: Linearized(values[some], influence[:, some]), drawn, np.arange(2), None
    )
    assert (found.mean, found.mean_error) == pytest.approx((0.5, np.sqrt(2)))
    assert found.errors == pytest.approx([np.sqrt(2), np.sqrt(2), 0.0])


def test_attributes_are_summed_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, scores = draw(400, [0.2, 0.4, 0.5, 0.7, 0.9])
    at_once = estimate(targets, scores)
    monkeypatch.setattr(metric_errors, "COLUMNS", 2)
    in_parts = estimate(targets, scores)
    assert in_parts.ap == at_once.ap and in_parts.auc == at_once.auc
    assert width(in_parts.mean_ap) == pytest.approx(width(at_once.mean_ap), rel=1e-9)


def test_the_mean_of_nothing_is_nan() -> None:
    targets = np.ones((5, 1), np.float32)
    found = estimate(targets, targets)
    assert np.isnan([found.mean_ap.value, found.mean_auc.low, found.ap[0].value]).all()
