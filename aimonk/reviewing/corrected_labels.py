"""The labels with the reviewers' answers in them; the user's file stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..data.labels import MISSING, LabelTable
from .answer_book import Answer

_TARGET = {"present": 1.0, "absent": 0.0, "unclear": MISSING}


@dataclass(frozen=True)
class Corrections:
    """A corrected table, and how many of its cells were changed in which way."""

    table: LabelTable
    filled: int
    """Missing labels that are known now."""
    flipped: int
    """Labels that say the opposite now."""
    removed: int
    """Labels that are missing now, because nobody could tell."""
    confirmed: int
    """Cells whose label stays as it was."""
    unmatched: tuple[tuple[str, str], ...]
    """Images and attributes that were answered but are not in the table."""


def correct_labels(table: LabelTable, answers: Iterable[Answer]) -> Corrections:
    """Apply the answers that stand, one for each cell; skipped cells keep their label.

    Args:
        table: N images, under the names that the answers have.
        answers: such as `AnswerBook.latest()`.
    """
    rows = {name: row for row, name in enumerate(table.images)}
    columns = {name: column for column, name in enumerate(table.attributes)}
    targets = table.targets.copy()
    unmatched = []
    counts = {"filled": 0, "flipped": 0, "removed": 0, "confirmed": 0}
    for one in answers:
        if one.answer not in _TARGET:
            continue
        row, column = rows.get(one.image), columns.get(one.attribute)
        if row is None or column is None:
            unmatched.append(one.place)
            continue
        before, after = float(table.targets[row, column]), _TARGET[one.answer]
        targets[row, column] = after
        counts[_change(before, after)] += 1
    return Corrections(
        replace(table, targets=targets.astype(np.float32)), unmatched=tuple(unmatched), **counts
    )


def _change(before: float, after: float) -> str:
    if before == after:
        return "confirmed"
    if before == MISSING:
        return "filled"
    return "removed" if after == MISSING else "flipped"
