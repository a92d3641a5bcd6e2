"""Cells of a text table that hold a list."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from .names_in_json import names_in_json

_NUMPY = re.compile(r"""['"]\s+['"]""")
"""Between the names of a NumPy array; Python would join them."""


def as_list(cell: str) -> list[str] | None:
    """Return the names in a cell that is a list, as JSON, Python, NumPy or PostgreSQL writes it.

    >>> as_list('["red"]'), as_list("['red' 'blue']"), as_list("{red,blue}"), as_list("red")
    (['red'], ['red', 'blue'], ['red', 'blue'], None)
    """
    if cell == "{}":
        return []
    if (value := parsed_cell(cell)) is not None:
        return names_in_json(value)
    if cell[:1] + cell[-1:] not in ("[]", "{}"):
        return None
    inner = cell[1:-1]
    if quoted := re.findall(r"""'([^']*)'|"([^"]*)\"""", inner):  # NumPy sets no commas
        return [one or other for one, other in quoted]
    return [name.strip() for name in inner.split(",") if name.strip()]


def parsed_cell(cell: str) -> Any:
    """Return the value of a cell that is a list or an object of JSON or Python; None for any other cell."""
    if cell[:1] not in ("[", "{") or _NUMPY.search(cell):
        return None
    try:
        return json.loads(cell)
    except json.JSONDecodeError:
        try:
            return ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
