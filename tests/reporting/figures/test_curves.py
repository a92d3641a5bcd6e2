from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from aimonk.data.labels import MISSING
from aimonk.reporting.figures.curves import (
    MOST_PANELS,
    calibration_curves,
    precision_recall,
    precision_recall_curves,
    reliability,
)


def test_precision_and_recall_by_hand() -> None:
    # Sorted: 0.9 yes, 0.8 no, 0.5 yes and no (tied), 0.1 yes; one row not known.
    targets = np.array([1, 0, 1, 0, 1, MISSING], dtype=np.float32)
    scores = np.array([0.9, 0.8, 0.5, 0.5, 0.1, 0.95])
    recall, precision = precision_recall(targets, scores)
    assert recall == pytest.approx([1 / 3, 2 / 3, 1])
    assert precision == pytest.approx([1, 2 / 4, 3 / 5])


def test_no_curve_without_a_positive() -> None:
    recall, precision = precision_recall(np.array([0, MISSING]), np.array([0.5, 0.6]))
    assert recall.size == precision.size == 0


@given(st.integers(0, 10_000))
def test_the_steps_of_the_curve_add_up_to_average_precision(seed: int) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.integers(-1, 2, 60).astype(np.float32)
    targets[:2] = 0, 1
    scores = generator.integers(0, 12, 60) / 12  # with ties
    recall, precision = precision_recall(targets, scores)
    known = targets != MISSING
    area = float(np.sum(np.diff(recall, prepend=0) * precision))
    assert area == pytest.approx(average_precision_score(targets[known], scores[known]))


def test_reliability_bins_hold_equally_many_known_images() -> None:
    probabilities = np.linspace(0, 1, 40, endpoint=False)
    targets = (np.arange(40) % 4 == 0).astype(np.float32)  # a quarter of every bin of 20
    stated, observed = reliability(targets, probabilities, bins=2)
    assert stated == pytest.approx([0.2375, 0.7375])
    assert observed == pytest.approx([0.25, 0.25])


def test_reliability_needs_ten_images_for_a_point() -> None:
    targets = np.array([1.0] * 15 + [MISSING] * 30)
    stated, observed = reliability(targets, np.full(45, 0.5))
    assert (stated.tolist(), observed.tolist()) == ([0.5], [1.0])
    assert reliability(targets[:9], np.full(9, 0.5))[0].size == 0


def test_each_panel_has_its_curve_prevalence_and_ap(simulate: Callable[..., Any]) -> None:
    data = simulate(200, 3, 2.0)
    figure: Any = precision_recall_curves(data.predictions, data.evidence)
    column = {a.name: j for j, a in enumerate(data.evidence.attributes)}
    assert len(figure.axes) == 3
    for axes in figure.axes:
        j = column[axes.get_title(loc="left")]
        attribute = data.evidence.attributes[j]
        assert axes.get_title(loc="right") == f"{attribute.ap.value:.2f}"
        base, curve = axes.lines
        assert base.get_ydata()[0] == pytest.approx(attribute.prevalence)
        recall, precision = precision_recall(
            data.predictions.targets[:, j], data.predictions.probabilities[:, j]
        )
        assert set(curve.get_xdata()) <= {0, *recall}
        assert (curve.get_xdata()[0], curve.get_xdata()[-1]) == (0, 1)
        assert curve.get_ydata()[-1] == pytest.approx(precision[-1])


def test_calibration_shows_before_and_after_where_there_was_a_before(
    simulate: Callable[..., Any],
) -> None:
    data = simulate(200, 2, 2.0)
    figure = calibration_curves(data.predictions, data.evidence)
    axes = figure.axes[0]
    j = [a.name for a in data.evidence.attributes].index(axes.get_title(loc="left"))
    _, before, after = axes.lines
    assert [before.get_label(), after.get_label()] == ["before", "after"]
    for line, said in ((before, data.predictions.uncalibrated), (after, data.predictions.probabilities)):
        stated, observed = reliability(data.predictions.targets[:, j], said[:, j])
        np.testing.assert_array_equal(line.get_xdata(), stated)
        np.testing.assert_array_equal(line.get_ydata(), observed)


def test_calibration_without_a_before_has_one_line(simulate: Callable[..., Any]) -> None:
    data = simulate(60, 2, 2.0)
    figure = calibration_curves(dataclasses.replace(data.predictions, uncalibrated=None), data.evidence)
    assert [line.get_label() for line in figure.axes[0].lines[1:]] == ["as trained"]


def test_many_attributes_do_not_make_many_panels(simulate: Callable[..., Any]) -> None:
    data = simulate(60, MOST_PANELS + 4, 1.0)
    assert len(precision_recall_curves(data.predictions, data.evidence).axes) == MOST_PANELS
