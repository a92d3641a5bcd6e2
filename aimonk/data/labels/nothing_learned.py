"""Why a column holds no labels, and what would make it hold some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from ...errors import LabelsError
from .coding import first_strange
from .column_names import holds_annotators, holds_groups, is_bookkeeping
from .raw_table import Column, RawTable
from .tokens import normalized, number

_LONGEST = 40
"""Signs of a cell that are shown."""

_MOST = 6
"""Columns that are shown."""


def no_label(
    table: RawTable,
    column: Column,
    own: dict[str, float],
    question: Callable[[int], str] = lambda row: "",
) -> LabelsError:
    """Return the error for a column in which a cell is no label.

    Args:
        table: Holds the column.
        column: Holds the cell.
        own: What the settings say of tokens.
        question: Returns the question that a row is about, where a row answers one.
    """
    at = first_strange(column, own)
    asked = question(column.row_of(at))
    return LabelsError(
        f"{table.source}, {table.place(column.row_of(at))}: {column.values[at]!r} is not a label in the "
        f"column {column.name!r}; correct it, say what it means with labels.present, labels.absent or "
        f"labels.unknown, or leave {f'the question {asked!r}' if asked else 'the column'} out with "
        "labels.ignore."
    )


def why_no_label(column: Column) -> str:
    """Return why a column is left out."""
    filled = [value for value in column.values if value]
    if reach := _reach(column):
        return f"it holds {reach}, not labels"
    shown = [_cut(value) for value in filled[:3]]
    if len(filled) > 12 or column.listed:
        return f"it holds {len(filled)} different values, such as {shown[0]}, not labels"
    more = " and others" if len(filled) > 3 else ""
    meaning = "labels.present and labels.absent would say what they mean, and " if len(filled) == 2 else ""
    return (
        f"it holds {', '.join(shown)}{more}, not labels; {meaning}labels.tags would make each value an "
        "attribute"
    )


def nothing_left(table: RawTable, columns: Sequence[Column], own: dict[str, float]) -> NoReturn:
    """Raise LabelsError for a table without labels, by the column that most likely should hold them."""
    if not columns:
        raise LabelsError(
            f"{table.source} holds no attribute: put at least one column of labels after the image."
        )
    likely = [column for column in columns if _may_hold_names(column)]
    if len(likely) > 1:
        shown = ", ".join(f"{column.name!r} ({_examples(column)})" for column in likely[:_MOST])
        raise LabelsError(
            f"{table.source}: no column is read as labels; those that may hold some are {shown}: make the "
            "names in one of them attributes with labels.tags, or say what its cells mean with "
            "labels.present and labels.absent."
        )
    column = likely[0] if likely else min(columns, key=_unlikely)
    at = first_strange(column, own)
    reach = _reach(column)
    if reach and any(normalized(value) not in ("1", "2", "") for value in column.values):
        raise LabelsError(
            f"{table.source}, {table.place(column.row_of(at))}: {column.values[at]!r} is not a label in the "
            f"column {column.name!r}, which holds {reach}, and no other column holds labels; set "
            "labels.threshold to the number from which on it is present, say what the numbers mean with "
            "labels.present and labels.absent, or that they are names with labels.tags."
        )
    raise LabelsError(
        f"{table.source}, {table.place(column.row_of(at))}: {column.values[at]!r} is not a label in the "
        f"column {column.name!r}, and no other column holds labels; say what the tokens mean with "
        "labels.present and labels.absent, or that they are names with labels.tags."
    )


def _may_hold_names(column: Column) -> bool:
    """Return whether a column holds few different texts, at least two and each of them often."""
    filled = [value for value in column.values if value]
    few = 2 <= len(filled) <= len(column.codes) // 4
    told = is_bookkeeping(column.name) or holds_groups(column.name) or holds_annotators(column.name)
    return few and not told and not _reach(column)


def _examples(column: Column) -> str:
    filled = [value for value in column.values if value]
    return ", ".join(map(_cut, filled[:2])) + (", ..." if len(filled) > 2 else "")


def _cut(value: str) -> str:
    return repr(value if len(value) <= _LONGEST else value[:_LONGEST] + "...")


def _unlikely(column: Column) -> tuple[bool, bool, int]:
    """Return a key by which the column that most likely should hold labels comes first."""
    constant = len(column.values) < 2
    return constant, is_bookkeeping(column.name) or holds_groups(column.name), len(column.values)


def _reach(column: Column) -> str:
    """Return between which numbers a column lies, for people; empty unless it holds numbers only."""
    found = [number(normalized(value)) for value in column.values if value]
    numbers = [value for value in found if value is not None]
    if not numbers or len(numbers) < len(found):
        return ""
    return (
        f"numbers from {min(numbers):g} to {max(numbers):g}"
        if len(numbers) > 1
        else f"the number {numbers[0]:g}"
    )
