"""Plots of the labels: how many there are, which are missing together, which are present together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ...data.label_audit import AttributeCounts, Audit
from ..attribute_selection import MOST_PICTURED, both_ends
from ..formatting import count, percent
from .canvas import name_rows, new_figure, plain, row_height, shorten, styled
from .palette import ACCENT, ACCENT_SOFT, FAINT, INK, MUTED, PAPER, RULE, WASH

MOST_PATTERNS = 12
MOST_WRITTEN = 12
"""The co-occurrence map prints its shares for at most this many attributes."""
_SHADES = LinearSegmentedColormap.from_list("aimonk", [PAPER, ACCENT_SOFT, ACCENT])


@styled
def label_counts(audit: Audit) -> Figure:
    """Plot present, absent and unknown labels over all label rows, the most frequent attribute on top.

    Of many attributes, the most frequent and the rarest are shown.
    """
    attributes = both_ends(sorted(audit.attributes, key=lambda a: (-a.positives, a.name)))
    figure = new_figure(row_height(len(attributes), 0.9))
    axes = figure.add_subplot()
    name_rows(axes, [shorten(a.name) for a in attributes])
    rows = np.arange(len(attributes))
    present = np.array([a.positives for a in attributes])
    absent = np.array([a.negatives for a in attributes])
    missing = np.array([a.missing for a in attributes])
    axes.barh(rows, present, height=0.68, color=ACCENT, label="present")
    axes.barh(rows, absent, left=present, height=0.68, color=ACCENT_SOFT, label="absent")
    axes.barh(
        rows,
        missing,
        left=present + absent,
        height=0.68,
        color=WASH,
        edgecolor=FAINT,
        linewidth=0.4,
        label="unknown",
    )
    for row, attribute in enumerate(attributes):
        axes.annotate(
            percent(attribute.prevalence),
            (1, row),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color=MUTED,
            fontsize=8,
            annotation_clip=False,
        )
    axes.set_xlim(0, audit.rows or 1)
    axes.set_xlabel("label rows; on the right, the prevalence")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, handlelength=1)
    return figure


@styled
def na_patterns(audit: Audit) -> Figure:
    """Plot which labels are missing together: a row per pattern, a dot per attribute missing in it.

    Of many attributes, those with the most missing labels are shown.
    """
    names = _first(audit, lambda a: a.missing)
    patterns = audit.na_patterns[:MOST_PATTERNS]
    figure = new_figure(row_height(len(patterns), 1.5))
    dots, bars = figure.subplots(1, 2, sharey=True, width_ratios=(max(2, 0.3 * len(names)), 3))
    columns = np.arange(len(names))
    for row, (missing, _) in enumerate(patterns):
        present = [column for column in columns if names[column] in missing]
        dots.plot(columns, np.full(len(names), row), linestyle="none", marker="o", markersize=4, color=RULE)
        dots.plot(
            present, np.full(len(present), row), linestyle="none", marker="o", markersize=4.6, color=ACCENT
        )
    name_rows(
        dots, [shorten(", ".join(missing), 30) if missing else "none missing" for missing, _ in patterns]
    )
    dots.set_xticks(columns, [shorten(name, 18) for name in names], **_turned(len(names)))
    dots.tick_params(axis="x", length=0)
    dots.set_xlim(-0.7, len(names) - 0.3)
    dots.spines["bottom"].set_visible(False)
    counts = [number for _, number in patterns]
    bars.barh(range(len(patterns)), counts, height=0.62, color=ACCENT_SOFT)
    for row, number in enumerate(counts):
        bars.annotate(
            count(number), (number, row), (4, 0), textcoords="offset points", va="center", fontsize=8
        )
    plain(bars).tick_params(axis="y", labelleft=False)
    bars.margins(x=0.12)
    bars.set_xlabel("label rows")
    return figure


@styled
def cooccurrence(audit: Audit) -> Figure:
    """Plot the share of images with the row's attribute that also have the column's.

    Of many attributes, the most frequent are shown.
    """
    chosen = _first(audit, lambda a: a.positives)
    kept = [place for place, a in enumerate(audit.attributes) if a.name in set(chosen)]
    names = [shorten(name, 18) for name in chosen]
    together = np.asarray(audit.cooccurrence, dtype=float)[np.ix_(kept, kept)]
    present = np.diag(together)[:, None]
    shares = np.divide(together, present, out=np.full_like(together, np.nan), where=present > 0)
    side = min(8.2, 1.9 + 0.3 * max(len(names), 6))
    figure = new_figure(side - 0.3, side)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(len(names)), names, **_turned(len(names)))
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)
    if len(names) <= MOST_WRITTEN:
        for row, column in np.argwhere(~np.isnan(shares)):
            share = shares[row, column]
            axes.text(
                column,
                row,
                percent(share),
                ha="center",
                va="center",
                fontsize=7.5,
                color=PAPER if share > 0.8 else INK,
            )
    bar = figure.colorbar(image, ax=axes, shrink=0.5, aspect=24, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0", "50%", "100%"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return figure


def _first(audit: Audit, key: Callable[[AttributeCounts], int]) -> list[str]:
    """Names of the `MOST_PICTURED` attributes with the largest key, in the order of the labels file."""
    largest = {a.name for a in sorted(audit.attributes, key=key, reverse=True)[:MOST_PICTURED]}
    return [a.name for a in audit.attributes if a.name in largest]


def _turned(names: int) -> dict[str, Any]:
    """Text properties that turn column names upright when there are many."""
    if names <= 6:
        return {}
    return {"rotation": 90, "rotation_mode": "anchor", "ha": "right", "va": "center"}
