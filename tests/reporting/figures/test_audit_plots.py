from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from aimonk.reporting.figures.audit_plots import MOST_PATTERNS, cooccurrence, label_counts, na_patterns
from aimonk.reporting.figures.canvas import to_png


def test_label_counts_are_stacked_in_order(small: Any) -> None:
    (axes,) = label_counts(small.audit).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["collar", "scarf", "<b>hat</b>"]
    widths = {bars.get_label(): [bar.get_width() for bar in bars] for bars in axes.containers}
    assert widths == {"present": [40, 30, 4], "absent": [60, 60, 90], "unknown": [0, 10, 6]}
    assert [bar.get_x() for bar in axes.containers[2]] == [100, 90, 94]
    assert [text.get_text() for text in axes.texts] == ["40%", "33%", "4.3%"]


def test_patterns_show_what_is_missing_together(small: Any) -> None:
    dots: Any
    bars: Any
    dots, bars = na_patterns(small.audit).axes
    assert [tick.get_text() for tick in dots.get_yticklabels()] == [
        "none missing",
        "scarf",
        "<b>hat</b>",
        "scarf, <b>hat</b>",
    ]
    marked = [list(line.get_xdata()) for line in dots.lines[1::2]]
    assert marked == [[], [1], [2], [1, 2]]
    assert [bar.get_width() for bar in bars.containers[0]] == [85, 9, 5, 1]


def test_only_the_most_frequent_patterns_are_drawn(small: Any) -> None:
    patterns = tuple(((f"p{i}",), 100 - i) for i in range(30))
    dots, _ = na_patterns(dataclasses.replace(small.audit, na_patterns=patterns)).axes
    assert len(dots.get_yticks()) == MOST_PATTERNS


def test_cooccurrence_is_a_share_of_the_row(small: Any) -> None:
    axes: Any = cooccurrence(small.audit).axes[0]
    shares = axes.images[0].get_array()
    assert shares.tolist() == [
        pytest.approx([1, 10 / 40, 4 / 40]),
        pytest.approx([10 / 30, 1, 0]),
        pytest.approx([1, 0, 1]),
    ]
    assert [text.get_text() for text in axes.texts][:3] == ["100%", "25%", "10%"]


def test_an_attribute_that_never_occurs_is_left_blank(small: Any) -> None:
    together = np.array([[5, 0], [0, 0]])
    audit = dataclasses.replace(small.audit, attributes=small.audit.attributes[:2], cooccurrence=together)
    figure = cooccurrence(audit)
    assert [text.get_text() for text in figure.axes[0].texts] == ["100%", "0%"]
    assert to_png(figure).startswith(b"\x89PNG")
