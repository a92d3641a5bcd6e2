"""Columns whose cells are lists or objects, as JSON and Parquet have them."""

from __future__ import annotations

import json
from typing import Any

from .column_names import holds_tags
from .names_in_json import are_numbers, grade_of, names_in_json
from .raw_table import UNIT, Column, from_values


def nested_columns(name: str, values: list[Any]) -> list[Column]:
    """Return the columns of values of which some are lists or objects.

    Lists of names make a column of tags, in which null is NA. Lists of numbers do so only under a name such
    as `label_ids`; lists of 0 and 1 that have a place for each attribute make a column for each place.
    Anything else is kept as JSON, which holds no labels.

    >>> [column.name for column in nested_columns("labels", [[1, 1, 0], [0, 0, 1]])]
    ['labels 1', 'labels 2', 'labels 3']
    """
    held = [value for value in values if isinstance(value, list | dict)]
    if not held:
        return [from_values(name, values)]
    if (width := _multi_hot(held)) > 1:
        cells = [value if isinstance(value, list) else [""] * width for value in values]
        return [from_values(f"{name} {at + 1}", (row[at] for row in cells)) for at in range(width)]
    if graded := _graded(held):
        return [_by_name(name, values) for name in graded]
    names = [names_in_json(value) if isinstance(value, list | dict) else value for value in values]
    if (
        any(found is None for found, value in zip(names, values, strict=True) if value is not None)
        or (are_numbers(held) and not holds_tags(name))
        or not any(names)
    ):
        return [from_values(name, (None if value is None else json.dumps(value) for value in values))]
    return [Column.of(name, ("NA" if found is None else _joined(found) for found in names), listed=True)]


def _joined(found: object) -> str:
    return UNIT.join(found) if isinstance(found, list) else str(found)


def _multi_hot(held: list[Any]) -> int:
    """Return the length of lists of 0 and 1 with a place for each attribute; 0 if these are none."""
    width = len(held[0])
    alike = all(isinstance(value, list) and len(value) == width for value in held)
    if not alike or not all(part in (0, 1, -1, None) for value in held for part in value):
        return 0
    return width if any(len(set(map(str, value))) < len(value) for value in held) else 0


def _graded(held: list[Any]) -> list[str]:
    """Return the names in lists of `{"name": "red", "value": 1}`; none if these are no such lists."""
    parts = [part for value in held if isinstance(value, list) for part in value]
    if not parts or not all(isinstance(part, dict) and grade_of(part) is not None for part in parts):
        return []
    return list(_grades(parts))


def _by_name(name: str, values: list[Any]) -> Column:
    found = [_grades(value) if isinstance(value, list) else {} for value in values]
    return from_values(name, (one.get(name) for one in found))


def _grades(parts: list[dict[str, object]]) -> dict[str, object]:
    return dict(found for part in parts if (found := grade_of(part)) is not None)
