"""Small multiples, one panel per attribute: precision against recall, and probability against truth."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...data.labels import MISSING
from ...evaluation.evidence import Evidence
from ..attribute_selection import both_ends
from ..formatting import number
from ..report_data import Predictions
from ..wording import by_lift
from .canvas import WIDTH, new_figure, shorten, styled
from .palette import ACCENT, FAINT, INK, MUTED, RULE, VERDICT_COLORS

MOST_PANELS = 36
"""Largest number of panels. Of more attributes, the strongest and the weakest are shown."""
CURVE_POINTS = 120
"""Steps drawn of one curve. More would not be visible in a panel and would make the page larger."""


def precision_recall(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(recall, precision)` at each distinct score that finds something, from the highest score down.

    Average precision is the sum over the steps of the growth in recall times the precision.

    Args:
        targets: `(N,)` of 1, 0 and `MISSING`, for one attribute. `MISSING` rows are left out.
        scores: `(N,)`.

    Returns:
        Two arrays of equal length, both empty when no known row is positive.

    Examples:
        >>> recall, precision = precision_recall(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.7]))
        >>> recall.tolist(), precision.round(2).tolist()
        ([0.5, 1.0], [1.0, 0.67])
    """
    known = targets != MISSING
    positive, scores = targets[known] == 1, scores[known]
    order = np.argsort(-scores, kind="stable")
    positive, scores = positive[order], scores[order]
    if not positive.any():
        return np.empty(0), np.empty(0)
    last_of_ties = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[last_of_ties]
    finds = np.diff(hits, prepend=0) > 0
    return hits[finds] / positive.sum(), hits[finds] / (last_of_ties[finds] + 1)


def reliability(
    targets: np.ndarray, probabilities: np.ndarray, bins: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """`(mean probability, share present)` in bins of equally many images, for one attribute.

    Args:
        targets: `(N,)` of 1, 0 and `MISSING`. `MISSING` rows are left out.
        probabilities: `(N,)` in [0, 1].
        bins: the largest number of bins. Each bin holds at least ten images, so there may be fewer.

    Returns:
        Two arrays with one value per bin, both empty for fewer than ten known labels.
    """
    known = targets != MISSING
    positive, probabilities = targets[known] == 1, probabilities[known]
    bins = min(bins, len(positive) // 10)
    if bins == 0:
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.argsort(probabilities, kind="stable"), bins)
    return (
        np.array([probabilities[part].mean() for part in parts]),
        np.array([positive[part].mean() for part in parts]),
    )


@styled
def precision_recall_curves(predictions: Predictions, evidence: Evidence) -> Figure:
    """Plot one precision-recall curve per attribute above its prevalence, with its average precision."""
    figure, panels = _panels(evidence)
    for axes, column in panels:
        attribute = evidence.attributes[column]
        color = VERDICT_COLORS[attribute.verdict]
        axes.axhline(attribute.prevalence, color=FAINT, linewidth=0.8)
        recall, precision = precision_recall(
            predictions.targets[:, column], predictions.probabilities[:, column]
        )
        if len(recall):
            recall, precision = np.append(0, recall), np.append(precision[0], precision)
            kept = np.unique(np.linspace(0, len(recall) - 1, CURVE_POINTS).astype(int))
            axes.plot(recall[kept], precision[kept], color=color, linewidth=1.2, drawstyle="steps-pre")
            axes.fill_between(recall[kept], precision[kept], color=color, alpha=0.08, linewidth=0, step="pre")
        axes.set_title(number(attribute.ap.value), loc="right", color=color, fontsize=8, pad=4)
    figure.supxlabel("recall", fontsize=8.5, color=MUTED)
    figure.supylabel("precision", fontsize=8.5, color=MUTED)
    return figure


@styled
def calibration_curves(predictions: Predictions, evidence: Evidence) -> Figure:
    """Plot predicted probability against the share that has the attribute, before and after calibration."""
    figure, panels = _panels(evidence)
    series = [(predictions.uncalibrated, FAINT, "before"), (predictions.probabilities, ACCENT, "after")]
    if predictions.uncalibrated is None:
        series = [(predictions.probabilities, ACCENT, "as trained")]
    for axes, column in panels:
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
        for probabilities, color, label in series:
            assert probabilities is not None
            stated, observed = reliability(predictions.targets[:, column], probabilities[:, column])
            axes.plot(stated, observed, color=color, linewidth=1.1, marker="o", markersize=2.4, label=label)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    figure.supxlabel("predicted probability", fontsize=8.5, color=MUTED)
    figure.supylabel("observed share", fontsize=8.5, color=MUTED)
    return figure


def _panels(evidence: Evidence) -> tuple[Figure, Iterator[tuple[Axes, int]]]:
    """Lay out unit squares, strongest attribute first, each with the column it is for."""
    columns = {attribute.name: column for column, attribute in enumerate(evidence.attributes)}
    names = [attribute.name for attribute in both_ends(by_lift(evidence.attributes), MOST_PANELS)]
    across = min(6, max(4, len(names)))
    down = max(1, math.ceil(len(names) / across))
    figure = new_figure(down * (WIDTH / across + 0.12) + 0.3)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    # All panels share one pair of axes: setting it once sets it everywhere.
    grid[0].set(xlim=(0, 1), ylim=(0, 1.02))
    grid[0].set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    grid[0].set_yticks([0, 0.5, 1], ["0", ".5", "1"])
    for axes in grid[len(names) :]:
        axes.remove()
    for axes in grid[max(0, len(names) - across) : len(names)]:
        axes.tick_params(labelbottom=True)
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(shorten(name, 14), color=INK, fontsize=8, pad=4)
    return figure, zip(grid, (columns[name] for name in names), strict=False)
