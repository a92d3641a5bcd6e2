from __future__ import annotations

import dataclasses
import math
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from aimonk.evaluation.intervals import Interval
from aimonk.reporting.figures.canvas import to_png, to_svg
from aimonk.reporting.figures.palette import ACCENT, FAINT, PAPER, WARN
from aimonk.reporting.figures.plots import RASTER_ABOVE, ap_intervals, loss_curve, operating_points
from aimonk.training.history import History


def lines(axes: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in axes.lines}


def names(axes: Any) -> list[str]:
    return [tick.get_text() for tick in axes.get_yticklabels()]


def test_the_loss_curve_has_the_seeds_labels_and_every_loss(small: Any) -> None:
    (axes,) = loss_curve(small.history).axes
    assert axes.get_xlabel() == "iteration_number"
    assert axes.get_ylabel() == "training_loss"
    assert axes.get_title(loc="left") == "Aimonk_multilabel_problem"
    raw = lines(axes)["every iteration"]
    assert raw.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(raw.get_ydata(), small.history.iteration_losses)


def test_the_title_is_configurable(small: Any) -> None:
    (axes,) = loss_curve(small.history, "mine").axes
    assert axes.get_title(loc="left") == "mine"


def test_epoch_means_validation_and_the_kept_epoch_stand_at_the_epochs_ends(small: Any) -> None:
    (axes,) = loss_curve(small.history).axes
    drawn = lines(axes)
    assert drawn["mean of an epoch"].get_xdata().tolist() == [2, 4, 6]
    assert drawn["mean of an epoch"].get_ydata() == pytest.approx([0.65, 0.45, 0.25])
    assert drawn["validation"].get_xdata().tolist() == [2, 4, 6]
    assert list(drawn["validation"].get_ydata()) == [0.6, 0.5, 0.55]
    assert (drawn["kept: epoch 2"].get_xdata(), drawn["kept: epoch 2"].get_ydata()) == ([4], [0.5])


def test_without_validation_only_the_training_loss_is_drawn() -> None:
    (axes,) = loss_curve(History(np.array([0.7, 0.6]), (2,), (), 1)).axes
    assert set(lines(axes)) == {"every iteration", "mean of an epoch"}


def test_a_training_cut_short_in_its_first_epoch_still_has_a_curve() -> None:
    (axes,) = loss_curve(History(np.array([0.7, 0.6]), (), (), 0)).axes
    assert list(lines(axes)["every iteration"].get_ydata()) == [0.7, 0.6]


def test_a_long_training_does_not_swell_the_page() -> None:
    losses = np.random.default_rng(0).random(50 * RASTER_ABOVE).astype(np.float32)
    assert len(to_svg(loss_curve(History(losses, (len(losses),), (), 1)))) < 400_000


def test_ap_stands_against_prevalence_with_its_interval(small: Any) -> None:
    axes: Any
    (axes,) = ap_intervals(small.evidence).axes
    assert names(axes) == ["collar", "<b>hat</b>", "scarf"]
    drawn = [(list(line.get_xdata()), list(line.get_ydata()), line.get_marker()) for line in axes.lines]
    assert ([0.4], [0], "|") in drawn  # 40 of 100
    assert ([0.65, 0.85], [0, 0], "None") in drawn
    assert ([0.75], [0], "o") in drawn
    assert ([4 / 94], [1], "|") in drawn
    assert ([0.06], [1], "o") in drawn
    assert ([0.25, 0.45], [2, 2], "None") in drawn
    assert not any(np.isnan(x).any() for x, _, _ in drawn)


def test_verdicts_differ_by_color_and_by_shape(small: Any) -> None:
    axes: Any
    (axes,) = ap_intervals(small.evidence).axes
    dots = {
        line.get_ydata()[0]: line for line in axes.lines if line.get_marker() == "o" and len(line.get_ydata())
    }
    assert [(dots[row].get_color(), dots[row].get_markerfacecolor()) for row in (0, 1, 2)] == [
        (ACCENT, ACCENT),
        (FAINT, PAPER),
        (WARN, PAPER),
    ]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["learned", "no evidence", "too few", "prevalence (no skill)"]


def test_an_attribute_without_ap_leaves_its_row_empty(small: Any) -> None:
    nothing = Interval(math.nan, math.nan, math.nan)
    attribute = dataclasses.replace(small.evidence.attributes[0], ap=nothing, positives=0, negatives=0)
    figure = ap_intervals(dataclasses.replace(small.evidence, attributes=(attribute,)))
    assert names(figure.axes[0]) == ["collar"]
    assert to_png(figure).startswith(b"\x89PNG")


def test_thresholds_and_f1_are_sorted_by_what_they_add_to_always_yes(small: Any) -> None:
    left, right = operating_points(small.operating_points).axes
    # collar 0.7467 - 0.5714, scarf 0.5 - 0.5, hat 0 - 0.0816
    assert names(left) == ["collar", "scarf", "<b>hat</b>"]
    assert list(lines(left)["threshold"].get_xdata()) == [0.4, 0.2, 0.6]
    drawn = lines(right)
    assert list(drawn["tuned"].get_xdata()) == [0.7467, 0.5, 0.0]
    assert list(drawn["always yes"].get_xdata()) == [0.5714, 0.5, 0.0816]
    assert list(drawn["at 0.5"].get_xdata()) == [0.7, 0.1, 0.0]


def test_figures_are_the_same_bytes_each_time_and_keep_their_text(small: Any) -> None:
    first, second = (to_svg(ap_intervals(small.evidence)) for _ in range(2))
    assert first == second
    assert b"&lt;b&gt;hat&lt;/b&gt;" in first  # text stays text, and is escaped


def test_a_second_format_keeps_the_first_ones_layout(small: Any) -> None:
    alone, after = ap_intervals(small.evidence), ap_intervals(small.evidence)
    to_svg(after)
    settled = after.axes[0].get_position().bounds
    to_png(alone)
    to_png(after)
    assert after.axes[0].get_position().bounds == settled
    assert settled == pytest.approx(alone.axes[0].get_position().bounds, abs=0.01)


def test_matplotlibs_own_settings_are_left_alone(small: Any) -> None:
    before = dict(mpl.rcParams)
    to_png(loss_curve(small.history))
    assert dict(mpl.rcParams) == before
