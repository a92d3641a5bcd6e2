from __future__ import annotations

import math
from typing import Any

import matplotlib.colors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.reporting.figures.canvas import to_png
from aimonk.reporting.figures.palette import ACCENT, ACCENT_SOFT, RULE, WARN
from aimonk.reporting.figures.sweep_plots import (
    Axis,
    SweptTrial,
    best_of,
    importances,
    optimization_history,
    parallel_coordinates,
)

RATE = Axis("training.learning_rate", 1e-4, 1e-1, log=True)
POWER = Axis("training.pos_weight_power", 0.0, 2.0)
LOSS = Axis("training.loss", choices=("weighted_bce", "focal"))


def trial(
    number: int, rate: float, power: float, loss: str, score: float, pruned: bool = False
) -> SweptTrial:
    settings = {RATE.name: rate, POWER.name: power, LOSS.name: loss}
    return SweptTrial(number, settings, score, pruned)


TRIALS = [
    trial(0, 1e-3, 1.0, "weighted_bce", 0.50),
    trial(1, 1e-4, 2.0, "focal", 0.20),
    trial(2, 1e-2, 0.5, "weighted_bce", 0.60),
    trial(3, 1e-1, 0.0, "focal", 0.99, pruned=True),
    trial(4, 1e-2, 1.0, "focal", 0.52),
]


def test_heights_by_hand() -> None:
    assert [RATE.height(value) for value in (1e-4, 1e-3, 1e-1)] == pytest.approx([0, 1 / 3, 1])
    assert [POWER.height(value) for value in (0, 0.5, 2)] == [0, 0.25, 1]
    assert [LOSS.height(value) for value in LOSS.choices] == [0.25, 0.75]


def test_ticks_are_powers_of_ten_round_numbers_or_all_choices() -> None:
    assert [label for _, label in RATE.ticks()] == ["0.0001", "0.001", "0.01", "0.1"]
    assert [place for place, _ in RATE.ticks()] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert POWER.ticks() == [(0, "0"), (0.25, "0.5"), (0.5, "1"), (0.75, "1.5"), (1, "2")]
    assert LOSS.ticks() == [(0.25, "weighted_bce"), (0.75, "focal")]
    assert [label for _, label in Axis("x", 0.02, 0.05, log=True).ticks()] == ["0.02", "0.05"]


@given(st.floats(1e-6, 1e3), st.floats(1e-3, 1e6), st.booleans())
def test_there_are_always_ticks_and_they_lie_on_the_axis(low: float, width: float, log: bool) -> None:
    places = [place for place, _ in Axis("x", low, low + width, log).ticks()]
    assert len(places) >= 2
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)


def test_the_best_is_among_those_tried_in_all_folds() -> None:
    best = best_of(TRIALS)
    assert best is not None
    assert best.number == 2
    assert best_of(TRIALS[3:4]) is None


def test_one_line_per_trial_through_its_settings_to_its_score() -> None:
    figure: Any = parallel_coordinates(TRIALS, [RATE, POWER, LOSS])
    (panel,) = figure.axes
    (lines,) = panel.collections
    # Scores of complete trials: .20 .50 .52 .60, lower quartile .425, so the axis runs from .25 to .60.
    height = {number: (score - 0.25) / 0.35 for number, score in ((0, 0.50), (2, 0.60), (4, 0.52))}
    expected = {  # stopped first, then rising, so that the best lies on top; clipped to the axis
        3: [1, 0, 0.75, 1],
        1: [0, 1, 0.75, 0],
        0: [1 / 3, 0.5, 0.25, height[0]],
        4: [2 / 3, 0.5, 0.75, height[4]],
        2: [2 / 3, 0.25, 0.25, height[2]],
    }
    for segment, heights in zip(lines.get_segments(), expected.values(), strict=True):
        assert segment[:, 0].tolist() == [0, 1, 2, 3]
        assert segment[:, 1] == pytest.approx(heights)
    colors = [matplotlib.colors.to_hex(color) for color in lines.get_colors()]
    assert (colors[0], colors[1], colors[-1]) == (RULE, ACCENT_SOFT, ACCENT)
    best = panel.lines[0]
    assert (best.get_color(), best.get_label()) == (WARN, "best: trial 2, 0.600")
    assert best.get_ydata() == pytest.approx(expected[2])
    names = ["learning_rate", "pos_weight_power", "loss", "validation mAP"]
    assert [label.get_text() for label in panel.get_xticklabels()] == names
    assert {"0.001", "1.5", "focal"} <= {text.get_text() for text in panel.texts}
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["best: trial 2, 0.600", "finished all folds, darker is better", "stopped early"]


def test_settings_of_one_name_keep_their_section() -> None:
    axes = [RATE, Axis("finetune.learning_rate", 1e-4, 1e-1, log=True)]
    one = SweptTrial(0, {axis.name: 1e-3 for axis in axes}, 0.5, False)
    labels = [label.get_text() for label in parallel_coordinates([one], axes).axes[0].get_xticklabels()]
    assert labels == ["training\nlearning_rate", "finetune\nlearning_rate", "validation mAP"]


def test_bars_are_the_shares_in_order() -> None:
    axes: Any
    (axes,) = importances({"training.l2": 0.75, "training.loss": 0.25}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["training.l2", "training.loss"]
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25]
    assert [text.get_text() for text in axes.texts] == ["75%", "25%"]


def test_the_history_shows_every_trial_and_the_best_so_far() -> None:
    axes: Any
    (axes,) = optimization_history(TRIALS).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["stopped early, mean of finished folds"].get_xdata()) == [3]
    complete = lines["finished all folds"]
    assert list(zip(complete.get_xdata(), complete.get_ydata(), strict=True)) == [
        (0, 0.5),
        (2, 0.6),
        (4, 0.52),
    ]
    below = lines["below the scale"]
    bottom, top = axes.get_ylim()
    assert list(below.get_xdata()) == [1]
    assert bottom < below.get_ydata()[0] < 0.25
    assert top > 0.6
    best = lines["best so far"]
    assert list(best.get_xdata()) == [0, 1, 2, 4, 4]
    assert list(best.get_ydata()) == [0.5, 0.5, 0.6, 0.6, 0.6]


@pytest.mark.parametrize("trials", [TRIALS[:1], TRIALS[3:4], [TRIALS[0], TRIALS[0]]])
def test_few_or_equal_trials_can_be_drawn(trials: list[SweptTrial]) -> None:
    for figure in (parallel_coordinates(trials, [RATE, POWER, LOSS]), optimization_history(trials)):
        assert to_png(figure).startswith(b"\x89PNG")
        assert all(math.isfinite(limit) for limit in figure.axes[0].get_ylim())
