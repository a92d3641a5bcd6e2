"""Label Studio's exports: JSON with tasks and annotations, and CSV with JSON in its cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .image_names import looks_like_image
from .raw_table import UNIT, Column, RawTable

_OWN = {
    "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "id", "agreement",
    "annotation_notes",
}  # fmt: skip
"""Columns of the CSV export that hold neither data nor labels."""


def is_label_studio(value: object) -> bool:
    """Return whether a JSON value is a list of tasks with data and annotations."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(task, dict) and {"data", "annotations"} <= task.keys() for task in value)
    )


def read_label_studio(path: Path, tasks: list[dict[str, Any]], encoding: str) -> RawTable:
    """Return one row for each annotation that was not canceled; a task without any is unknown.

    What an annotator did not choose is absent. A choice that is offered by several questions is named
    `question: choice`.
    """
    rows: list[tuple[str, list[tuple[str, str]] | None]] = []
    for task in tasks:
        image = _image(task["data"])
        done = [one for one in task["annotations"] if not one.get("was_cancelled")]
        rows += [(image, list(_choices(one.get("result") or []))) for one in done] or [(image, None)]
    questions = defaultdict(set)
    for _, choices in rows:
        for question, choice in choices or ():
            questions[choice].add(question)
    shared = any(len(asked) > 1 for asked in questions.values())

    def cell(choices: list[tuple[str, str]] | None) -> str:
        if choices is None:
            return "NA"
        return UNIT.join(f"{question}: {choice}" if shared else choice for question, choice in choices)

    columns = (
        Column.of("image", (image for image, _ in rows)),
        Column.of("choices", (cell(choices) for _, choices in rows), listed=True),
    )
    preset = {"image": "image", "tags": ("choices",)}
    return RawTable(path, "Label Studio JSON", columns, encoding, preset=preset)


def as_label_studio(table: RawTable) -> RawTable:
    """Return a table with the presets of Label Studio's CSV export, if its columns show that it is one."""
    names = {column.name for column in table.columns}
    if not {"annotation_id", "lead_time"} <= names:
        return table
    image = next((c.name for c in table.columns if any(map(looks_like_image, c.values[:20]))), "")
    tags = tuple(name for c in table.columns if (name := c.name) not in _OWN | {image} and _answers(c))
    preset = {"image": image, "tags": tags, "absent": ("",)}
    return replace(table, format=f"Label Studio {table.format}", preset=preset) if image and tags else table


def _answers(column: Column) -> bool:
    """Return whether a column can hold answers: those that are free text or links do not repeat."""
    return len(column.values) <= max(2, len(column.codes) // 2)


def _image(data: dict[str, Any]) -> str:
    texts = [value for value in data.values() if isinstance(value, str)]
    return next(filter(looks_like_image, texts), texts[0] if texts else "")


def _choices(results: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    seen = set()
    for result in results:
        question = str(result.get("from_name", ""))
        for values in (result.get("value") or {}).values():
            for choice in values if isinstance(values, list) else ():
                name = "/".join(map(str, choice)) if isinstance(choice, list) else choice
                if isinstance(name, str) and (question, name) not in seen:
                    seen.add((question, name))
                    yield question, name
