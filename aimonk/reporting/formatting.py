"""How numbers are written for people, the same on pages and in the terminal."""

from __future__ import annotations

import math

from ..evaluation.evidence import Interval

NOTHING = "–"
"""Stands where a number is not defined."""


def number(value: float | None, digits: int = 2) -> str:
    """`0.53`; an en dash for nan and None, the infinity sign for inf."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def signed(value: float, digits: int = 3) -> str:
    """`+0.012` or `−0.012`."""
    text = number(value, digits)
    return f"+{text}" if not math.isnan(value) and value > 0 and not text.startswith("−") else text


def bounds(interval: Interval, digits: int = 2) -> str:
    """`[0.47, 0.60]`; empty when the interval is not defined."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    return f"[{number(interval.low, digits)}, {number(interval.high, digits)}]"


def p_value(value: float) -> str:
    """Three digits, and `< 0.001` for what is below them."""
    if math.isnan(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percent(value: float) -> str:
    """`42%`, with a digit more below ten percent, `0.4%`, and no 0% or 100% that is not quite so."""
    if math.isnan(value):
        return NOTHING
    if 0 < value < 0.0005:
        return "< 0.1%"
    if 0.995 <= value < 1:
        return "> 99%"
    return f"{100 * value:.{0 if value >= 0.095 else 1}f}%".replace(".0%", "%")


def count(value: int) -> str:
    """Thousands set apart: `10,000`."""
    return f"{value:,}"


def plural(value: int, noun: str, several: str | None = None) -> str:
    """`1 image`, `3 images`."""
    return f"{count(value)} {noun if value == 1 else several or noun + 's'}"


def listing(names: tuple[str, ...] | list[str], limit: int = 6) -> str:
    """Join names to `a, b and c`; beyond the limit `a, b and 7 more`."""
    if len(names) > limit:
        return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{count(minutes)} min {rest} s" if rest else f"{count(minutes)} min"
