"""The learning curve: mean average precision against images, measured and extrapolated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from ...evaluation.intervals import Interval
from ...evaluation.learning_curve import FACTORS, LearningCurve, PowerLaw
from .canvas import new_figure, plain, styled
from .palette import ACCENT, FAINT, INK


@styled
def learning_curve_plot(curve: LearningCurve) -> Figure:
    """Draw the mean with intervals, its fit, and every attribute faintly behind it; images on a log scale."""
    figure = new_figure(3.6)
    axes = plain(figure.add_subplot())
    axes.grid(axis="y")
    axes.set_xscale("log")
    axes.set_xlabel("images trained on")
    axes.set_ylabel("average precision")
    sizes = np.array(curve.sizes)
    ahead = sizes[-1] * np.array(FACTORS, float)
    for one in curve.attributes:
        axes.plot(sizes, [point.value for point in one.points], color=FAINT, linewidth=0.8)
    mean = curve.mean
    values = np.array([point.value for point in mean.points])
    _bars(axes, sizes, mean.points, ACCENT)
    axes.plot(sizes, values, color=ACCENT, marker="o", markersize=4, linestyle="none", label="measured")
    if np.isfinite(values).all():
        law, dense = PowerLaw.fit(sizes, values), np.geomspace(sizes[0], ahead[-1], 60)
        axes.plot(
            dense, [float(law.predict(values, at)) for at in dense], color=INK, linewidth=1, label="fit"
        )
    _bars(axes, ahead, mean.extrapolated, INK)
    axes.plot(
        ahead,
        [point.value for point in mean.extrapolated],
        color=INK,
        marker="o",
        markersize=5,
        markerfacecolor="white",
        linestyle="none",
        label="extrapolated",
    )
    axes.plot([], [], color=FAINT, linewidth=0.8, label="each attribute")
    ticks = np.concatenate([sizes[[0, len(sizes) // 2, -1]], ahead])
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 1)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, handlelength=1.4)
    return figure


def _bars(axes: Axes, at: np.ndarray, points: Sequence[Interval], color: str) -> None:
    axes.vlines(at, [p.low for p in points], [p.high for p in points], color=color, linewidth=1)
