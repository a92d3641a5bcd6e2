"""Label Studio's exports: JSON with tasks and annotations, and CSV with JSON in its cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .image_names import looks_like_image
from .list_cells import as_list
from .names_in_json import is_label_key, names_in_json
from .raw_table import UNIT, Column, RawTable

_OWN = {
    "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "id", "agreement",
    "annotation_notes",
}  # fmt: skip
"""Columns of the CSV export that hold neither data nor labels."""


_ANNOTATIONS = ("annotations", "completions")
"""Where a task keeps its annotations; the second name is that of older versions."""


def is_label_studio(value: object) -> bool:
    """Return whether a JSON value is a list of tasks with data and annotations."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(task, dict) and "data" in task and _done(task) is not None for task in value)
    )


def _done(task: dict[str, Any]) -> list[dict[str, Any]] | None:
    return next((task[key] for key in _ANNOTATIONS if isinstance(task.get(key), list)), None)


def read_label_studio(path: Path, tasks: list[dict[str, Any]], encoding: str) -> RawTable:
    """Return one row for each annotation that was not canceled; a task without any is unknown.

    What an annotator did not choose is absent. A choice that is offered by several questions is named
    `question: choice`. The labels of boxes, polygons and other regions count as choices; texts, numbers and
    ratings are left out, which is said.

    Raises:
        LabelsError: No task was annotated.
    """
    rows: list[tuple[str, list[tuple[str, str]] | None]] = []
    for task in tasks:
        image = _image(task["data"])
        done = [one for one in _done(task) or () if not one.get("was_cancelled")]
        rows += [(image, list(_choices(one.get("result") or []))) for one in done] or [(image, None)]
    if all(choices is None for _, choices in rows):
        raise LabelsError(
            f"{path}: no task was annotated, which leaves no labels; annotate some of them first."
        )
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
    other = sorted({name for task in tasks for one in _done(task) or () for name in _unread(one)})
    notes = (f"Answers that are no choices are left out: {', '.join(map(repr, other))}.",) if other else ()
    return RawTable(path, "Label Studio JSON", columns, encoding, preset=preset, notes=notes)


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
    """Return whether a column can hold answers: free text and links do not repeat, but lists of names may."""
    few = len(column.values) <= max(2, len(column.codes) // 2)
    return column.listed or few or any(as_list(value) is not None for value in column.values[:20])


def _image(data: dict[str, Any]) -> str:
    texts = [value for value in data.values() if isinstance(value, str)]
    return next(filter(looks_like_image, texts), texts[0] if texts else "")


def _choices(results: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    seen = set()
    for result in results:
        question = str(result.get("from_name", ""))
        for name in names_in_json([_labels(result)]) or ():
            if (question, name) not in seen:
                seen.add((question, name))
                yield question, name


def _labels(result: dict[str, Any]) -> dict[str, Any]:
    """Return what a result says by names, without the points and texts beside it."""
    value = result.get("value") or {}
    return {key: held for key, held in value.items() if is_label_key(key)}


def _unread(annotation: dict[str, Any]) -> set[str]:
    """Return the questions of an annotation that were answered by something else than names."""
    results = annotation.get("result") or []
    return {str(one.get("from_name", "")) for one in results if one.get("value") and not _labels(one)}
