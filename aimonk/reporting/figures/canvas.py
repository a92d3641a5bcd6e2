"""One look for every figure, and the ways a figure leaves the process: SVG for pages, PNG for files."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

# Building the font cache is not news to anybody who trains a model.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

import matplotlib as mpl  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from .palette import FAINT, INK, MUTED, PAPER, RULE  # noqa: E402

WIDTH = 8.2
"""Inches; the page shows it at about 820 pixels, so that 8.5 points read as the page's small text."""
PNG_DPI = 150

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.6,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.facecolor": PAPER,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": MUTED,
    # Text stays text, set in the reader's own fonts; ids do not change from run to run.
    "svg.fonttype": "none",
    "svg.hashsalt": "aimonk",
    "mathtext.default": "regular",
}

_Arguments = ParamSpec("_Arguments")


def styled(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Draw a figure under the one style, leaving matplotlib's own settings alone."""

    @wraps(draw)
    def under_style(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return under_style


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Make an empty figure, in inches, that keeps its labels inside; no pyplot, so nothing to close."""
    return Figure(figsize=(width, height), layout="constrained")


def plain(axes: Axes, *, left: bool = False) -> Axes:
    """Take away the axis lines and ticks that say nothing: all but the bottom line, or but none."""
    axes.spines["left"].set_visible(left)
    axes.tick_params(axis="y", length=0)
    return axes


def name_rows(axes: Axes, names: list[str]) -> None:
    """One row per name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)


def row_height(rows: int, extra: float) -> float:
    """Inches for `rows` rows of text and `extra` around them."""
    return 0.215 * rows + extra


def shorten(name: str, limit: int = 24) -> str:
    """Cut a name so that it fits beside a panel."""
    return name if len(name) <= limit else name[: limit - 1] + "…"


# A layout costs as much as the drawing. It is done once; a second format of the figure keeps it.


@contextmanager
def _any_sign() -> Iterator[None]:
    """Draw a box for a sign that the font lacks, such as an emoji in a name, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def to_svg(figure: Figure) -> bytes:
    """Return the figure as SVG, the same bytes for the same figure."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), _any_sign():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    figure.set_layout_engine("none")
    return buffer.getvalue()


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG, for files beside the page."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), _any_sign():
        figure.savefig(buffer, format="png", dpi=PNG_DPI)
    figure.set_layout_engine("none")
    return buffer.getvalue()
