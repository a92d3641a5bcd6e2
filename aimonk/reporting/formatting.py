"""How numbers and names are written for people, the same on pages and in the terminal."""

from __future__ import annotations

import math

from ..evaluation.intervals import Interval

NOTHING = "–"
"""Printed where a number is not defined."""


def number(value: float | None, digits: int = 2) -> str:
    """Format a number: `0.53`; an en dash for nan and None, the infinity sign for inf.

    >>> number(-0.534), number(1234.5), number(None)
    ('−0.53', '1,234.50', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def signed(value: float, digits: int = 3) -> str:
    """Format a difference with its sign: `+0.012` or `−0.012`."""
    text = number(value, digits)
    return f"+{text}" if not math.isnan(value) and value > 0 and not text.startswith("−") else text


def bounds(interval: Interval, digits: int = 2) -> str:
    """Format the bounds of an interval: `[0.47, 0.60]`; empty when they are not defined."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    return f"[{number(interval.low, digits)}, {number(interval.high, digits)}]"


def p_value(value: float) -> str:
    """Format a p-value with three digits, or as `< 0.001`."""
    if math.isnan(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percent(value: float) -> str:
    """Format a share: `42%`, and `0.4%` below ten percent. Only exactly 0 and 1 become `0%` and `100%`.

    >>> percent(0.42), percent(0.004), percent(0.9999)
    ('42%', '0.4%', '> 99%')
    """
    if math.isnan(value):
        return NOTHING
    if 0 < value < 0.0005:
        return "< 0.1%"
    if 0.995 <= value < 1:
        return "> 99%"
    return f"{100 * value:.{0 if value >= 0.095 else 1}f}%".replace(".0%", "%")


def count(value: int) -> str:
    """Format a whole number with thousands separated: `10,000`."""
    return f"{value:,}"


def plural(value: int, noun: str, several: str | None = None) -> str:
    """Format a number with its noun: `1 image`, `3 images`."""
    return f"{count(value)} {noun if value == 1 else several or noun + 's'}"


def listing(names: tuple[str, ...] | list[str], limit: int = 6) -> str:
    """Join names: `a, b and c`; with more than `limit` names, `a, b and 7 more`.

    >>> listing(["a", "b", "c"]), listing(["a", "b", "c", "d"], limit=3)
    ('a, b and c', 'a, b and 2 more')
    """
    if len(names) > limit:
        return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def duration(seconds: float) -> str:
    """Format a time: `0.4 s`, `12 s`, `3 min 20 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{count(minutes)} min {rest} s" if rest else f"{count(minutes)} min"


def visible(text: str) -> str:
    r"""Replace characters that do not print, such as a newline in an attribute's name, by their escapes.

    >>> visible("two\nlines")
    'two\\nlines'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
