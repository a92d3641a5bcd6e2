from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.evaluation.intervals import Interval
from aimonk.reporting.formatting import (
    bounds,
    count,
    duration,
    listing,
    number,
    p_value,
    percent,
    plural,
    signed,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.534, "0.53"),
        (-0.5, "−0.50"),
        (-0.001, "0.00"),
        (1234.5, "1,234.50"),
        (NAN, "–"),
        (None, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_have_two_digits_a_true_minus_and_a_dash_for_nothing(value: Any, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "+0.012"), (-0.0123, "−0.012"), (0.0001, "+0.000"), (0.0, "0.000"), (NAN, "–")],
)
def test_differences_carry_their_sign(value: Any, text: str) -> None:
    assert signed(value) == text


def test_bounds_are_empty_where_there_is_no_interval() -> None:
    assert bounds(Interval(0.5, 0.412, 0.6)) == "[0.41, 0.60]"
    assert bounds(Interval(0.5, NAN, 0.6)) == ""
    assert bounds(Interval(0.5, 0.4, NAN)) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.0009, "< 0.001"), (0.001, "0.001"), (0.0496, "0.050"), (1, "1.000"), (NAN, "–")]
)
def test_small_p_values_are_a_bound(value: Any, text: str) -> None:
    assert p_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0%"),
        (0.0001, "< 0.1%"),
        (0.004, "0.4%"),
        (0.05, "5%"),
        (0.0768, "7.7%"),
        (0.42, "42%"),
        (0.999, "> 99%"),
        (1, "100%"),
        (NAN, "–"),
    ],
)
def test_percent(value: Any, text: str) -> None:
    assert percent(value) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_percent_says_none_and_all_only_of_none_and_all(value: Any) -> None:
    assert percent(value) not in {"0%", "100%"}


@given(st.floats(0, 1))
def test_percent_can_be_read_back(value: Any) -> None:
    text = percent(value)
    assert abs(float(text.strip("<>% ")) / 100 - value) <= 0.01


def test_words_for_counts() -> None:
    assert [plural(n, "image") for n in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]
    assert plural(2, "class", "classes") == "2 classes"
    assert count(10_000) == "10,000"


def test_listings_are_cut_with_a_count() -> None:
    assert listing(["a"]) == "a"
    assert listing(["a", "b"]) == "a and b"
    assert listing(("a", "b", "c")) == "a, b and c"
    assert listing(list("abcdefgh"), limit=3) == "a, b and 6 more"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (9.96, "10 s"), (42.4, "42 s"), (59.7, "60 s"), (60, "1 min"), (200, "3 min 20 s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
