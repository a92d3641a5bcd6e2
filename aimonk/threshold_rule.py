"""The grammar of `evaluation.threshold`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ThresholdRule:
    """How a threshold is chosen. `value` is the floor or the fixed threshold, and unused for `f1`."""

    kind: Literal["f1", "precision", "recall", "fixed"]
    value: float = 0.5


def parse_rule(text: str) -> ThresholdRule:
    """Read `f1`, `precision>=P`, `recall>=R` with P and R in (0, 1], or a number from 0 to 1.

    >>> parse_rule("recall >= 0.9")
    ThresholdRule(kind='recall', value=0.9)

    Raises:
        ValueError: it is none of these.
    """
    rule = text.replace(" ", "")
    if rule == "f1":
        return ThresholdRule("f1")
    number = re.fullmatch(r"(precision>=|recall>=|)(\d*\.?\d+|\d+\.)", rule)
    value = float(number[2]) if number else -1.0
    if number is None or value > 1 or (number[1] and value == 0):
        raise ValueError("give f1, precision>=P, recall>=R (0 < P, R <= 1) or a number from 0 to 1")
    if number[1].startswith("precision"):
        return ThresholdRule("precision", value)
    return ThresholdRule("recall" if number[1] else "fixed", value)


def checked_rule(text: str) -> str:
    """Return a rule that can be parsed as it is.

    Raises:
        ValueError: it cannot.
    """
    parse_rule(text)
    return text
