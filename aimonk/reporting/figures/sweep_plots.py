"""Plots of a sweep: settings against scores, the importance of each setting, and the course of the search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..formatting import number, percent
from .canvas import name_rows, new_figure, plain, row_height, shorten, styled
from .palette import ACCENT, ACCENT_SOFT, FAINT, INK, MUTED, PAPER, RULE, WARN

SCORE = "validation mAP"
_SCALE = LinearSegmentedColormap.from_list("score", [ACCENT_SOFT, ACCENT])
_TICKS = 5
"""Largest number of ticks on a vertical axis."""


@dataclass(frozen=True)
class SweptTrial:
    """One trial, as the plots need it."""

    number: int
    settings: Mapping[str, Any]
    """By name, one for each axis."""
    score: float
    pruned: bool
    """Whether it was stopped early. Its score is then the mean over the folds that it finished."""


@dataclass(frozen=True)
class Axis:
    """One setting: numbers from `low` to `high`, or a few `choices`."""

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def height(self, value: Any) -> float:
        """Position of a value, from 0 at the bottom to 1 at the top. Choices are spread evenly."""
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return float((value - self.low) / (self.high - self.low))

    def ticks(self) -> list[tuple[float, str]]:
        """At least two `(height, label)`: every choice, powers of ten, or round numbers."""
        if self.choices:
            return [(self.height(choice), shorten(str(choice), 20)) for choice in self.choices]
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            powers = [10.0**power for power in range(first, last + 1)]
            values = powers if len(powers) > 1 else [self.low, self.high]
        else:
            found = MaxNLocator(_TICKS - 1).tick_values(self.low, self.high)
            slack = 1e-9 * (self.high - self.low)
            values = [value for value in found if self.low - slack <= value <= self.high + slack]
        return [(self.height(value), f"{value:g}") for value in values]


def best_of(trials: Sequence[SweptTrial]) -> SweptTrial | None:
    """The first trial with the highest score among those that finished all folds; None if none did."""
    return max((trial for trial in trials if not trial.pruned), key=lambda trial: trial.score, default=None)


@styled
def parallel_coordinates(trials: Sequence[SweptTrial], axes: Sequence[Axis]) -> Figure:
    """Draw one line per trial through its settings to its score. Darker is better; the best is orange.

    Let q be the lower quartile of the scores and b the best one. The score's axis runs from 2q - b to b, so
    that one failed trial does not squeeze all others together. Lower scores are drawn at the bottom.
    """
    figure = new_figure(4.2, max(6.0, 1.9 * (len(axes) + 1)))
    panel = figure.add_subplot()
    panel.set(xlim=(-0.12, len(axes) + 0.42), ylim=(-0.04, 1.04))
    panel.set_xticks(range(len(axes) + 1), [*_short_names(axes), SCORE])
    panel.xaxis.tick_top()
    panel.tick_params(axis="both", length=0, labelcolor=INK)
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
    score = _score_axis(trials)
    best = best_of(trials)
    # The best trials on top of the others.
    ordered = sorted(trials, key=lambda trial: (not trial.pruned, trial.score))
    lines = [_line(trial, axes, score) for trial in ordered]
    colors = [
        RULE if trial.pruned else _SCALE(line[-1][1]) for trial, line in zip(ordered, lines, strict=True)
    ]
    widths = [0.8 if trial.pruned else 1.2 for trial in ordered]
    panel.add_collection(LineCollection(lines, colors=colors, linewidths=widths, capstyle="round"))
    if best is not None:
        places = _line(best, axes, score)
        label = f"best: trial {best.number}, {number(best.score, 3)}"
        panel.plot(*zip(*places, strict=True), color=WARN, linewidth=2, label=label)
    panel.plot([], [], color=ACCENT, linewidth=1.2, label="finished all folds, darker is better")
    if any(trial.pruned for trial in trials):
        panel.plot([], [], color=RULE, linewidth=1.2, label="stopped early")
    for place, axis in enumerate((*axes, score)):
        _draw_axis(panel, place, axis)
    figure.legend(loc="outside lower left", ncols=3, handlelength=1.6)
    return figure


def _short_names(axes: Sequence[Axis]) -> list[str]:
    """Names without their section, unless two settings would then share one name."""
    short = [axis.name.rpartition(".")[2] for axis in axes]
    return short if len(set(short)) == len(short) else [axis.name.replace(".", "\n") for axis in axes]


def _score_axis(trials: Sequence[SweptTrial]) -> Axis:
    scores = np.array([trial.score for trial in trials if not trial.pruned] or [t.score for t in trials])
    high, quartile = float(scores.max()), float(np.quantile(scores, 0.25))
    low = max(float(scores.min()), 2 * quartile - high)
    return Axis(SCORE, low, high if high > low else low + 1e-3)


def _line(trial: SweptTrial, axes: Sequence[Axis], score: Axis) -> list[tuple[float, float]]:
    heights = [axis.height(trial.settings[axis.name]) for axis in axes]
    return list(enumerate([*heights, min(1.0, max(0.0, score.height(trial.score)))]))


def _draw_axis(panel: Axes, place: int, axis: Axis) -> None:
    panel.plot([place, place], [0, 1], color=MUTED, linewidth=0.8, zorder=3)
    for height, label in axis.ticks():
        panel.plot([place], [height], marker="_", markersize=6, color=MUTED, zorder=3)
        panel.annotate(
            label,
            (place, height),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
            zorder=4,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.85},
        )


@styled
def importances(shares: Mapping[str, float]) -> Figure:
    """Plot how much of the variance between trials each setting explains, the most important on top."""
    names = list(shares)
    figure = new_figure(row_height(len(names), 0.75), 6.0)
    axes = figure.add_subplot()
    name_rows(axes, [shorten(name, 32) for name in names])
    axes.barh(range(len(names)), list(shares.values()), height=0.55, color=ACCENT)
    for row, share in enumerate(shares.values()):
        axes.annotate(
            percent(share), (share, row), xytext=(4, 0), textcoords="offset points", va="center", color=INK
        )
    axes.set_xlim(0, 1.08)
    axes.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axes.set_xlabel(f"share of the explained variance of {SCORE}")
    return figure


@styled
def optimization_history(trials: Sequence[SweptTrial]) -> Figure:
    """Plot the score of each trial in the order they ran, and the best score so far.

    The scale is that of `parallel_coordinates`. Trials below it are marked at the bottom.
    """
    figure = new_figure(3.4)
    axes = plain(figure.add_subplot())
    axes.grid(axis="y")
    axes.set_xlabel("trial")
    axes.set_ylabel(SCORE)
    score = _score_axis(trials)
    room = 0.08 * (score.high - score.low)
    floor = score.low - room / 2
    complete = [trial for trial in trials if not trial.pruned]
    stopped = [trial for trial in trials if trial.pruned]
    below = [trial for trial in trials if trial.score < score.low]
    hollow: dict[str, Any] = {"linestyle": "none", "markersize": 4.5, "markerfacecolor": PAPER}
    if stopped:
        drawn = _points([trial for trial in stopped if trial not in below])
        axes.plot(*drawn, **hollow, marker="o", color=FAINT, label="stopped early, mean of finished folds")
    drawn = _points([trial for trial in complete if trial not in below])
    axes.plot(*drawn, linestyle="none", marker="o", markersize=4.5, color=ACCENT, label="finished all folds")
    if below:
        numbers, _ = _points(below)
        axes.plot(numbers, [floor] * len(below), **hollow, marker="v", color=MUTED, label="below the scale")
    if complete:
        numbers, scores = _points(complete)
        axes.step(
            [*numbers, max(trial.number for trial in trials)],
            [*np.maximum.accumulate(scores), max(scores)],
            where="post",
            color=WARN,
            linewidth=1.2,
            label="best so far",
        )
    axes.set_ylim(score.low - room, score.high + room)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, handletextpad=0.5)
    return figure


def _points(trials: Sequence[SweptTrial]) -> tuple[list[int], list[float]]:
    return [trial.number for trial in trials], [trial.score for trial in trials]
