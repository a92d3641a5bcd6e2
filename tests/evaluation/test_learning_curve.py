"""Learning curves: power laws that are known, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.evaluation import learning_curve as module
from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.learning_curve import AttributeCurve, PowerLaw, learning_curve

SIZES = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])


@given(st.floats(0.3, 1.0), st.floats(0.1, 3.0), st.integers(1, 12))
def test_a_power_law_on_the_grid_is_continued_exactly(a: float, b: float, tenths: int) -> None:
    def law(size: float | np.ndarray) -> float | np.ndarray:
        return a - b * size ** (-tenths / 10)

    points = np.asarray(law(SIZES))
    fitted = PowerLaw.fit(SIZES, points)
    assert fitted.predict(points, 6400.0) == pytest.approx(law(6400.0), abs=2e-3)


def test_a_curve_that_falls_is_continued_flat() -> None:
    points = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    fitted = PowerLaw.fit(SIZES, points)
    level = float(points @ SIZES / SIZES.sum())
    assert fitted.predict(points, 6400.0) == pytest.approx(level)


def test_the_error_grows_with_the_distance() -> None:
    points = 0.8 - 2 * SIZES**-0.5 + np.array([0.01, -0.01, 0.01, -0.01, 0.01])
    fitted = PowerLaw.fit(SIZES, points)
    near, far = fitted.error(points, 3200.0), fitted.error(points, 12800.0)
    assert 0 < near < far
    assert fitted.error(points, 1600.0, less=1600.0) == pytest.approx(0, abs=1e-12)


def simulate(seed: int, images: int = 1200) -> tuple[np.ndarray, list[np.ndarray]]:
    """Two attributes: scores of the first get better with training, those of the second are good already."""
    generator = np.random.default_rng(seed)
    targets = (generator.random((images, 2)) < 0.3).astype(np.float32)
    noise = generator.normal(size=(images, 2))
    scores = []
    for skill in (0.3, 0.6, 0.9, 1.2, 1.5):
        scores.append(np.stack([skill, 6.0] * targets, axis=0) + noise)
    return targets, scores


def test_attributes_that_rise_and_that_are_flat_are_told_apart() -> None:
    targets, scores = simulate(0)
    curve = learning_curve(targets, scores, SIZES.tolist(), ("rising", "flat"), np.arange(1200), None)
    assert [one.state for one in curve.attributes] == ["rising", "flat"]
    assert curve.mean.points[-1].value == pytest.approx(
        np.mean([one.points[-1].value for one in curve.attributes])
    )
    for one in (*curve.attributes, curve.mean):
        for there in one.extrapolated:
            assert 0 <= there.low <= there.value <= there.high <= 1
    record = curve.to_json()
    assert record["images"] == SIZES.tolist()
    assert record["attributes"][1]["state"] == "flat"


def test_of_many_groups_influences_give_the_intervals_of_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where images come in groups, which are drawn as a whole, and in folds."""
    targets, scores = simulate(3)
    groups = np.arange(1200) // 2
    folds = groups % 3
    found = {}
    for many in (200, 10**9):
        monkeypatch.setattr(module, "MANY_GROUPS", many)
        found[many] = learning_curve(targets, scores, SIZES.tolist(), ("rising", "flat"), groups, folds)
    linear, exact = found[200], found[10**9]
    assert linear != exact
    for one, other in zip((linear.mean, *linear.attributes), (exact.mean, *exact.attributes), strict=True):
        assert [point.value for point in one.points] == pytest.approx([point.value for point in other.points])
        for here, there in zip(one.points + one.gains, other.points + other.gains, strict=True):
            assert here.high - here.low == pytest.approx(there.high - there.low, rel=0.1)


def test_folds_are_ranked_apart() -> None:
    """Scores of one fold are shifted; within folds the ranking is perfect."""
    folds = np.arange(200) % 2
    targets = (np.arange(200) % 4 < 2).astype(np.float32)[:, None]
    scores = [targets + 10.0 * folds[:, None]] * 4
    curve = learning_curve(targets, scores, [10, 20, 40, 80], ("red",), np.arange(200), folds)
    assert curve.attributes[0].points[0].value == 1


def test_an_attribute_without_positives_has_no_curve() -> None:
    targets, scores = simulate(1, 100)
    targets[:, 1] = 0
    curve = learning_curve(
        targets, scores, SIZES.tolist(), ("red", "none"), np.arange(100), None, resamples=20
    )
    assert np.isnan(curve.attributes[1].extrapolated[0].value)
    assert curve.attributes[1].state == "open"
    assert curve.mean.points[-1].value == curve.attributes[0].points[-1].value


@pytest.mark.parametrize("sizes", [[1, 2, 3], [1, 2, 2, 3]])
def test_sizes_must_be_enough_and_ascend(sizes: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 4 ascending sizes"):
        learning_curve(np.zeros((2, 1)), [np.zeros((2, 1))] * len(sizes), sizes, ("red",), np.arange(2), None)


@pytest.mark.parametrize(
    ("gain", "state"),
    [((0.05, 0.01, 0.09), "rising"), ((0.0, -0.01, 0.01), "flat"), ((0.05, -0.01, 0.11), "open")],
)
def test_a_state_needs_an_interval_that_excludes_the_other(
    gain: tuple[float, float, float], state: str
) -> None:
    gains = (Interval(*gain), Interval(*gain))
    assert AttributeCurve("red", (), gains, gains).state == state
