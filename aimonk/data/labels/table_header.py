"""Where a table begins: below titles and notes, under one row of names or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .image_names import looks_like_image, rank
from .tokens import is_label

_LOOKED_AT = 50
"""Rows that may hold the header."""


@dataclass(frozen=True)
class Header:
    """The names of a table's columns, and what stands above them.

    Attributes:
        names: One for each cell of the row of names.
        first: Index of the first row below the names.
        notes: Sentences on rows that were not read, for `ReadAs.notes`.
    """

    names: tuple[str, ...]
    first: int
    notes: tuple[str, ...] = ()


def find_header(rows: Sequence[Sequence[str]]) -> Header:
    """Return the names of the columns of a table whose blank rows are left out.

    What stands above the names, such as a title, fills less than half as many cells as the table does. Names
    in two rows, as merged cells leave them behind, become one: the lower name where there is one, with the
    upper one before it where the lower one is not unique.

    >>> find_header([["Labels of June", ""], ["image", "red"], ["a.jpg", "1"]]).names
    ('image', 'red')
    >>> find_header([["image", "coat", ""], ["", "red", "blue"], ["a.jpg", "1", "0"]]).names
    ('image', 'red', 'blue')
    """
    seen = rows[:_LOOKED_AT]
    widest = max(map(_filled, seen), default=0)
    top = next((at for at, row in enumerate(seen) if 2 * _filled(row) > widest and not _is_comment(row)), 0)
    if top and _filled(seen[0]) > 1 and _names_image(seen[0]) and not any(map(_names_image, seen[1:])):
        top = 0  # rows that are too long, which is said elsewhere
    if top and _is_data(seen[top]) and _filled(seen[top - 1]) == widest - 1:
        top -= 1  # the names lack that of the image, as CelebA's do
    first = top + 1
    names = [cell.strip() for cell in rows[top]]
    ambiguous = len(set(names)) < len(names)
    if top and not _is_data(rows[top]) and (ambiguous or _completes(rows[top - 1], rows[top])):
        top -= 1
        names = _merged(rows[top], names)
    elif first < len(seen) - 1 and not _is_data(seen[first]) and _completes(seen[first], seen[top]):
        names = _merged(seen[top], [cell.strip() for cell in seen[first]])
        first += 1
    if not top:
        return Header(tuple(names), first)
    title = next(cell for cell in rows[0] if cell.strip())
    above = f"{top} lines above the names of the columns are" if top > 1 else "A line above the names is"
    return Header(tuple(names), first, (f"{above} not read: {title!r}.",))


def _names_image(row: Sequence[str]) -> bool:
    return any(rank(cell) is not None for cell in row)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_comment(row: Sequence[str]) -> bool:
    return row[0].startswith("#") and " " in row[0].strip()


def _is_data(row: Sequence[str]) -> bool:
    """Return whether a row holds an image's name, or a label that no column is called by."""
    return any(looks_like_image(cell) for cell in row) or any(
        is_label(cell) and not cell.strip().isalpha() for cell in row if cell.strip()
    )


def _completes(row: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether a row has a name in some column where the other one has none."""
    blank = [not cell.strip() for cell in other] + [True] * (len(row) - len(other))
    return any(cell.strip() and empty for cell, empty in zip(row, blank, strict=False))


def _merged(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return one name for each column of two rows; an upper name stands for the blank cells after it."""
    groups: list[str] = []
    for at in range(len(lower)):
        cell = upper[at].strip() if at < len(upper) else ""
        groups.append(cell or (groups[-1] if groups and lower[at] else ""))
    names = [below or above for above, below in zip(groups, lower, strict=True)]
    return [
        f"{above}: {below}" if above and below and names.count(name) > 1 else name
        for above, below, name in zip(groups, lower, names, strict=True)
    ]
