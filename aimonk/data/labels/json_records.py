"""JSON lines, or a JSON list, with one object for each image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .nested_cells import nested_columns
from .raw_table import Column, RawTable

_Path = tuple[str, ...]
"""Keys from the outermost object inwards."""


def parse_lines(path: Path, text: str) -> list[Any]:
    """Return the value of each line of JSON; raises LabelsError for a line that is not JSON."""
    values = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise LabelsError(f"{path}, line {number} is not JSON ({error.msg}): correct it.") from None
    return values


def read_records(path: Path, records: Sequence[Any], encoding: str, form: str) -> RawTable:
    """Return the table of JSON objects; an object inside one becomes columns of its own.

    `{"image": "a.jpg", "labels": {"red": 1}}` has the columns `image` and `red`; a key that stands in several
    objects has theirs before it, as in `front: red`. A key that an object lacks is a blank cell. Lists of
    names are cells of tags; lists of numbers are so only under a name such as `label_ids`.

    Raises:
        LabelsError: An element is not an object.
    """
    flat = []
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise LabelsError(f"{path}, record {number} is not an object: give each image a JSON object.")
        flat.append(_flattened(record))
    columns: list[Column] = []
    for key, name in _names(list(dict.fromkeys(key for record in flat for key in record))).items():
        columns += nested_columns(name, [record.get(key) for record in flat])
    return RawTable(path, form, tuple(columns), encoding, place=lambda row: f"record {row + 1}")


def _flattened(record: dict[str, Any], above: _Path = ()) -> dict[_Path, Any]:
    found: dict[_Path, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and not isinstance(value.get("choices"), list):
            found.update(_flattened(value, (*above, key)))
        else:
            found[*above, key] = value
    return found


def _names(keys: Sequence[_Path]) -> dict[_Path, str]:
    """Return the name of each column: its own key, with those above it where two have the same."""
    last = [key[-1] for key in keys]
    return {key: key[-1] if last.count(key[-1]) == 1 else ": ".join(key) for key in keys}
