"""Pictures of what a model learned: its loss, its scores against no skill, its thresholds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...evaluation.evidence import AttributeEvidence, Evidence, Verdict
from ...evaluation.thresholds import OperatingPoint
from ...training.history import History
from ..attribute_selection import both_ends
from ..wording import by_lift
from .canvas import name_rows, new_figure, plain, row_height, shorten, styled
from .palette import ACCENT, ACCENT_SOFT, FAINT, INK, MUTED, PAPER, RULE, VERDICT_COLORS, WARN

RASTER_ABOVE = 5000
"""A line with more points than this is drawn as pixels, which keeps the page small."""


@styled
def loss_curve(history: History, title: str = "Aimonk_multilabel_problem") -> Figure:
    """Plot the loss of every iteration, its mean per epoch, the validation loss, and the epoch kept."""
    losses = np.asarray(history.iteration_losses)
    figure = new_figure(3.6)
    axes = plain(figure.add_subplot())
    axes.grid(axis="y")
    axes.set_title(title, color=INK, fontsize=9.5, pad=24)
    axes.set_xlabel("iteration_number")
    axes.set_ylabel("training_loss")
    steps = np.arange(1, len(losses) + 1)
    axes.plot(
        steps,
        losses,
        color=ACCENT_SOFT,
        linewidth=0.8,
        label="every iteration",
        rasterized=len(losses) > RASTER_ABOVE,
    )
    ends = np.asarray(history.epoch_steps, dtype=int)
    if len(ends):
        parts = np.split(losses, ends[:-1])
        means = [float(part.mean()) if len(part) else math.nan for part in parts]
        axes.plot(ends, means, color=ACCENT, linewidth=1.4, label="mean of an epoch")
    if history.validation_losses:
        _draw_validation(axes, history, ends)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(left=0)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, handlelength=1.4)
    return figure


def _draw_validation(axes: Axes, history: History, ends: np.ndarray) -> None:
    axes.plot(
        ends[: len(history.validation_losses)],
        history.validation_losses,
        color=INK,
        linewidth=0.8,
        marker="o",
        markersize=3,
        label="validation",
    )
    if not 1 <= history.best_epoch <= len(history.validation_losses):
        return
    step, loss = ends[history.best_epoch - 1], history.validation_losses[history.best_epoch - 1]
    axes.plot(
        [step],
        [loss],
        color=WARN,
        marker="o",
        markersize=8,
        markerfacecolor="none",
        markeredgewidth=1.2,
        linestyle="none",
        label=f"kept: epoch {history.best_epoch}",
    )


@styled
def ap_intervals(evidence: Evidence) -> Figure:
    """Plot average precision with its 95% interval against prevalence, the score of a model without skill.

    Strongest attribute first; of many, the strongest and the weakest (see `attribute_selection`).
    """
    attributes = both_ends(by_lift(evidence.attributes))
    figure = new_figure(row_height(len(attributes), 0.95))
    axes = figure.add_subplot()
    name_rows(axes, [shorten(a.name) for a in attributes])
    axes.set_xlim(0, 1)
    axes.grid(axis="x")
    axes.set_xlabel("average precision on held-out images")
    for row, attribute in enumerate(attributes):
        _draw_interval(axes, row, attribute)
    for verdict in Verdict:
        if any(a.verdict is verdict for a in attributes):
            axes.plot([], [], linestyle="none", label=verdict.value, **_mark(verdict))
    axes.plot([], [], linestyle="none", marker="|", markersize=9, color=MUTED, label="prevalence (no skill)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, handletextpad=0.3)
    return figure


def _mark(verdict: Verdict) -> dict[str, Any]:
    """Filled for an attribute that was learned, hollow for one that was not."""
    color = VERDICT_COLORS[verdict]
    filled = color if verdict is Verdict.LEARNED else PAPER
    return {
        "marker": "o",
        "markersize": 5.5,
        "color": color,
        "markerfacecolor": filled,
        "markeredgewidth": 1.3,
    }


def _draw_interval(axes: Axes, row: int, attribute: AttributeEvidence) -> None:
    ap, color = attribute.ap, VERDICT_COLORS[attribute.verdict]
    axes.plot([attribute.prevalence], [row], marker="|", markersize=10, color=MUTED, markeredgewidth=1.2)
    if not math.isnan(ap.low):
        axes.plot(
            [ap.low, ap.high], [row, row], color=color, linewidth=2.2, alpha=0.45, solid_capstyle="butt"
        )
    axes.plot([ap.value], [row], **_mark(attribute.verdict))


@styled
def operating_points(points: tuple[OperatingPoint, ...]) -> Figure:
    """Plot each attribute's threshold, and its F1 there, at 0.5, and of answering yes every time.

    Sorted by what the model adds to answering yes; of many attributes, both ends of that order.
    """
    ordered = sorted(points, key=lambda p: (-np.nan_to_num(p.f1 - p.f1_always_yes, nan=-2.0), p.name))
    ordered = both_ends(ordered)
    figure = new_figure(row_height(len(ordered), 0.95))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 3))
    rows = range(len(ordered))
    name_rows(left, [shorten(p.name) for p in ordered])
    left.axvline(0.5, color=RULE, linewidth=1)
    thresholds = [p.threshold for p in ordered]
    left.hlines(rows, 0.5, thresholds, color=ACCENT_SOFT, linewidth=1.6)
    left.plot(
        thresholds,
        rows,
        linestyle="none",
        marker="o",
        markersize=5,
        color=ACCENT,
        label="threshold",
        clip_on=False,
    )
    left.set_xlabel("threshold")
    right.spines["left"].set_visible(False)
    right.tick_params(axis="y", length=0, labelleft=False)
    right.grid(axis="x")
    tuned, blind = [p.f1 for p in ordered], [p.f1_always_yes for p in ordered]
    right.hlines(rows, blind, tuned, color=ACCENT_SOFT, linewidth=1.6)
    right.plot(blind, rows, linestyle="none", marker="|", markersize=10, color=MUTED, label="always yes")
    right.plot(
        [p.f1_at_half for p in ordered],
        rows,
        linestyle="none",
        marker="o",
        markersize=4.5,
        markerfacecolor=PAPER,
        color=FAINT,
        label="at 0.5",
        clip_on=False,
    )
    right.plot(
        tuned, rows, linestyle="none", marker="o", markersize=5, color=ACCENT, label="tuned", clip_on=False
    )
    right.set_xlabel("F1 on held-out images")
    right.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, handletextpad=0.3)
    for axes in (left, right):
        axes.set_xlim(0, 1)
    return figure
