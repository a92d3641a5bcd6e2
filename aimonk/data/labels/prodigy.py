"""Prodigy's exports, in which `answer` says whether the labels of a row were accepted."""

from __future__ import annotations

from dataclasses import replace

from .column_names import holds_tags
from .image_names import looks_like_image
from .raw_table import Column, RawTable

ANSWERS = frozenset(("accept", "reject", "ignore"))
"""What Prodigy writes to the column `answer`."""


def as_prodigy(table: RawTable) -> RawTable:
    """Return a table with NA for the labels of rows that were not accepted, if it is an export of Prodigy.

    Whoever rejects or ignores an image does not confirm what was chosen for it. A table with several rows
    for an image and one label in each stays as it is: there, a rejected label may be an absent one.
    """
    answer = next((column for column in table.columns if column.name == "answer"), None)
    tags = _tags(table)
    if answer is None or tags is None or not answer.values or not ANSWERS.issuperset(answer.values):
        return table
    if tags.name != "accept" and not tags.listed and _repeats_images(table):
        return table
    accepted = [cell == "accept" for cell in answer.cells()]
    cells = (cell if yes else "NA" for cell, yes in zip(tags.cells(), accepted, strict=True))
    kept = Column.of(tags.name, cells, tags.listed)
    columns = tuple(kept if one is tags else one for one in table.columns if one is not answer)
    preset = {**table.preset, "tags": (tags.name,)}
    notes = (*table.notes, *_note(len(accepted) - sum(accepted)))
    return replace(table, format=f"Prodigy {table.format}", columns=columns, preset=preset, notes=notes)


def _tags(table: RawTable) -> Column | None:
    """Return the column of labels: Prodigy's `accept` for choices, else one of lists, else `label`."""
    named = {column.name: column for column in table.columns}
    listed = [column for column in table.columns if column.listed and holds_tags(column.name)]
    return named.get("accept") or next(iter(listed), None) or named.get("label")


def _repeats_images(table: RawTable) -> bool:
    images = next((one for one in table.columns if any(map(looks_like_image, one.values[:20]))), None)
    return images is not None and len(images.values) < len(images.codes)


def _note(refused: int) -> tuple[str, ...]:
    if not refused:
        return ()
    rows = "1 row is" if refused == 1 else f"{refused} rows are"
    return (f"{rows} answered reject or ignore in the column 'answer'; their labels count as unknown.",)
