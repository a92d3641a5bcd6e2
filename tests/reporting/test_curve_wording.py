"""The learning curve in words."""

from __future__ import annotations

import numpy as np

from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.learning_curve import AttributeCurve, LearningCurve
from aimonk.reporting.curve_wording import curve_story
from aimonk.reporting.figures.learning_plot import learning_curve_plot

POINTS = tuple(Interval(value, value - 0.02, value + 0.02) for value in (0.4, 0.5, 0.55, 0.58))


def one(name: str, low: float, value: float, high: float) -> AttributeCurve:
    gain = Interval(value, low, high)
    there = Interval(0.58 + value, 0.58 + low, 0.58 + high)
    return AttributeCurve(name, POINTS, (there, there), (gain, gain))


CURVE = LearningCurve(
    (100.0, 200.0, 400.0, 800.0),
    one("mean", 0.02, 0.04, 0.06),
    (one("scarf", 0.01, 0.05, 0.09), one("collar", -0.01, 0.0, 0.01), one("belt", -0.05, 0.03, 0.1)),
)


def test_the_story_says_what_a_doubling_brings_and_for_which_attributes() -> None:
    assert curve_story(CURVE) == [
        "From 800 training images, twice as many photos would bring about +0.04 mean AP "
        "(+0.02 to +0.06, 80% interval), four times as many about +0.04 (+0.02 to +0.06).",
        "scarf has not begun to flatten.",
        "collar has: a doubling would bring less than 0.02.",
        "It cannot be told yet for belt.",
    ]


def test_without_rising_attributes_the_sentence_on_flat_ones_stands_alone() -> None:
    flat = LearningCurve(CURVE.sizes, CURVE.mean, CURVE.attributes[1:2])
    assert curve_story(flat)[1] == "collar has begun to flatten: a doubling would bring less than 0.02."


def test_the_figure_shows_measured_and_extrapolated_points() -> None:
    axes = learning_curve_plot(CURVE).axes[0]
    assert axes.get_xscale() == "log"
    drawn = {line.get_label(): np.asarray(line.get_xdata()) for line in axes.lines}
    assert list(drawn["measured"]) == [100, 200, 400, 800]
    assert list(drawn["extrapolated"]) == [1600, 3200]
