"""JSON lines, or a JSON list, with one object for each image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .raw_table import RawTable, from_values


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

    `{"image": "a.jpg", "labels": {"red": 1}}` has the columns `image` and `red`. A key that an object lacks
    is a blank cell.

    Raises:
        LabelsError: An element is not an object.
    """
    flat = []
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise LabelsError(f"{path}, record {number} is not an object: give each image a JSON object.")
        flat.append(_flattened(record))
    names = list(dict.fromkeys(name for record in flat for name in record))
    columns = tuple(from_values(name, (record.get(name) for record in flat)) for name in names)
    return RawTable(path, form, columns, encoding, place=lambda row: f"record {row + 1}")


def _flattened(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            found[name] = value["choices"]  # Label Studio's JSON-MIN
        elif isinstance(value, dict):
            found.update(_flattened(value))
        else:
            found[name] = value
    return found
