"""Tables with a row for each question about an image: settings call the questions by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ...config import LabelsConfig
from .column_names import holds_values, matching
from .raw_table import Column, RawTable, with_rows
from .read_as import shortened


def select_questions(table: RawTable, config: LabelsConfig) -> tuple[RawTable, LabelsConfig]:
    """Return the table without the rows of questions that the settings leave out, and settings for the rest.

    `labels.ignore` and `labels.attributes` name columns first. Names that no column has are questions if the
    table has one column of answers, such as `value`, and all of them occur in one other column.
    """
    names = [column.name for column in table.columns]
    ignored, wanted = _unmatched(names, config.ignore), _unmatched(names, config.attributes)
    asked = _question_column(table, (*ignored, *wanted), config.tags)
    if asked is None:
        return table, config
    dropped = {name for text in ignored for name in matching(asked.values, text)}
    if wanted:
        kept = {name for text in wanted for name in matching(asked.values, text)}
        dropped |= set(asked.values) - kept
    stays = np.array([value not in dropped for value in asked.values], bool)[asked.codes]
    return _told(with_rows(table, stays), asked, dropped), replace(
        config,
        tags=(asked.name,),
        ignore=_matched(names, config.ignore),
        attributes=_matched(names, config.attributes),
    )


def question_of(image: Column, columns: Sequence[Column], row: int) -> str:
    """Return the question that a row of a column of answers is about; empty if that is not sure."""
    images, rows = image.codes.astype(np.int64), len(image.codes)
    asked = [
        column.values[column.codes[row]]
        for column in columns
        if 1 < len(column.values) < rows
        and len(np.unique(images * len(column.values) + column.codes)) == rows > len(image.values)
    ]
    return asked[0] if len(asked) == 1 else ""


def _told(table: RawTable, asked: Column, dropped: set[str]) -> RawTable:
    if not dropped:
        return table
    names = shortened(tuple(repr(value) for value in asked.values if value in dropped))
    note = f"The rows in which {asked.name!r} is {names} are left out, as the settings say."
    return replace(table, notes=(*table.notes, note))


def _question_column(table: RawTable, texts: Sequence[str], tags: Sequence[str]) -> Column | None:
    answers = [column for column in table.columns if holds_values(column.name)]
    if not texts or len(answers) != 1:
        return None
    found = [
        column
        for column in table.columns
        if column is not answers[0]
        and (not tags or column.name in tags)
        and len(column.values) < len(column.codes)
        and all(matching(column.values, text) for text in texts)
    ]
    return found[0] if len(found) == 1 else None


def _parts(names: Sequence[str], texts: Iterable[str]) -> list[str]:
    """Return names and patterns one by one; a text that fits a column is one, whatever commas it has."""
    split = ([text] if matching(names, text) else text.split(",") for text in texts)
    return [part.strip() for parts in split for part in parts]


def _unmatched(names: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part for part in _parts(names, texts) if not matching(names, part))


def _matched(names: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part for part in _parts(names, texts) if matching(names, part))
