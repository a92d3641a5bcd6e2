"""Figures: one style for all of them, and their export as SVG for pages and PNG for files."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

# matplotlib reports that it builds its font cache. That is not news to anybody who trains a model.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

import matplotlib as mpl  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from .palette import INK  # noqa: E402

WIDTH = 8.2
"""Inches. The page shows it at about 820 pixels, so that 8.5 points look like the page's small text."""

STYLE = mpl.rc_params_from_file(Path(__file__).with_name("report.mplstyle"), use_default_template=False)

_Arguments = ParamSpec("_Arguments")


def styled(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Decorate a drawing function so that it draws in the report's style.

    The caller's own matplotlib settings are restored afterwards.
    """

    @wraps(draw)
    def under_style(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return under_style


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Create an empty figure that keeps its labels inside. It bypasses pyplot, so there is nothing to close.

    Args:
        height: in inches.
        width: in inches.
    """
    return Figure(figsize=(width, height), layout="constrained")


def plain(axes: Axes, *, left: bool = False) -> Axes:
    """Remove the ticks of the y axis, and its line unless `left` is set."""
    axes.spines["left"].set_visible(left)
    axes.tick_params(axis="y", length=0)
    return axes


def name_rows(axes: Axes, names: list[str]) -> None:
    """Label one row per name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)


def row_height(rows: int, extra: float) -> float:
    """Height in inches of `rows` rows of text with `extra` inches around them."""
    return 0.215 * rows + extra


def shorten(name: str, limit: int = 24) -> str:
    """Shorten a name in the middle to at most `limit` characters: different names rarely differ there.

    >>> shorten("a_rather_long_attribute_name", 12)
    'a_rath…_name'
    """
    tail = (limit - 1) // 2
    return name if len(name) <= limit else f"{name[: limit - 1 - tail]}…{name[-tail:]}"


def to_svg(figure: Figure) -> bytes:
    """Return the figure as SVG. Equal figures give equal bytes."""
    return _export(figure, "svg", {"Date": None, "Creator": None})


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG, for files beside the page."""
    return _export(figure, "png", None)


def _export(figure: Figure, format: str, metadata: dict[str, str | None] | None) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A character that the font lacks, such as an emoji in a name, is drawn as a box.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        figure.savefig(buffer, format=format, metadata=metadata)
    # A layout costs as much as the drawing. It is done once; a second format of the figure keeps it.
    figure.set_layout_engine("none")
    return buffer.getvalue()
