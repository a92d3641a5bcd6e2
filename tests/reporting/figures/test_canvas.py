from __future__ import annotations

from matplotlib.colors import to_hex

from aimonk.reporting.figures.canvas import STYLE, shorten
from aimonk.reporting.figures.palette import css_variables


def test_the_style_sheet_uses_the_colors_of_the_palette() -> None:
    colors = {key: to_hex(STYLE[key]) for key in STYLE if "color" in key}
    assert len(colors) > 5
    assert set(colors.values()) <= set(css_variables().values()), colors


def test_text_stays_text_and_ids_do_not_change() -> None:
    assert STYLE["svg.fonttype"] == "none"
    assert STYLE["svg.hashsalt"] == "aimonk"


def test_a_shortened_name_keeps_both_ends() -> None:
    assert shorten("belt", 4) == "belt"
    assert shorten("attribute 22", 8) == "attr… 22"
