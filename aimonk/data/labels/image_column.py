"""Which column of a table names the image."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import LabelsError
from .column_names import find_column
from .image_names import looks_like_image, rank
from .raw_table import Column, RawTable
from .tokens import is_label

_LOOKED_AT = 200
"""Distinct cells of a column that are looked at."""


def find_image_column(table: RawTable, columns: Sequence[Column], wanted: str) -> Column:
    """Return the column that names the image.

    In this order: the one that the setting names; the one whose cells end like image files, of several the
    one with the most usual name; without such cells the one with the most usual name (`image_id`); else the
    first one, if its cells are not labels.

    Raises:
        LabelsError: No column names the image, or several can and their names do not tell which.
    """
    if wanted:
        name = find_column(table.source, [column.name for column in columns], wanted, "labels.image")
        return next(column for column in columns if column.name == name)
    looking = [column for column in columns if _looks_like_images(column)]
    named = [column for column in columns if rank(column.name) is not None]
    candidates = looking or [column for column in named if not _looks_like_labels(column)] or named
    if len(candidates) > 1:
        ranked = sorted(candidates, key=lambda column: _rank(column))
        if _rank(ranked[0]) == _rank(ranked[1]):
            raise LabelsError(
                f"{table.source}: the columns {ranked[0].name!r} and {ranked[1].name!r} both name images; "
                "choose one with labels.image, and leave the other out with labels.ignore."
            )
        return ranked[0]
    if candidates:
        return candidates[0]
    if columns and not _looks_like_labels(columns[0]):
        return columns[0]
    raise LabelsError(f"{table.source}: no column names the image; say which one does with labels.image.")


def _looks_like_images(column: Column) -> bool:
    sample = [value for value in column.values[:_LOOKED_AT] if value]
    return sum(map(looks_like_image, sample)) > len(sample) // 2


def _looks_like_labels(column: Column) -> bool:
    return all(map(is_label, column.values[:_LOOKED_AT]))


def _rank(column: Column) -> int:
    found = rank(column.name)
    return 1000 if found is None else found
