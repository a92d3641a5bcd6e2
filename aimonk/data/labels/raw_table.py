"""A table before anything is understood: columns of text, each distinct cell kept once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import LabelsError
from .image_names import looks_like_image

if TYPE_CHECKING:
    import pyarrow as pa

UNIT = "\x1f"
"""ASCII's unit separator: between the names of one cell where a format stores lists."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column of N cells: cell `i` is `values[codes[i]]`, stripped of blanks.

    Attributes:
        name: Header, stripped; empty where there is none.
        codes: `(N,) int32`.
        values: The distinct cells.
        listed: Whether cells are lists of names, joined by `UNIT`.
    """

    name: str
    codes: np.ndarray
    values: tuple[str, ...]
    listed: bool = False

    @classmethod
    def of(cls, name: str, cells: Iterable[str], listed: bool = False) -> Column:
        """Return a column of cells."""
        number_of: dict[str, int] = {}
        codes = [number_of.setdefault(cell.strip(), len(number_of)) for cell in cells]
        return cls(name.strip(), np.array(codes, np.int32), tuple(number_of), listed)

    def cells(self) -> list[str]:
        """Return the N cells."""
        return [self.values[code] for code in self.codes.tolist()]

    def counts(self) -> np.ndarray:
        """Return how often each distinct cell occurs, `(len(values),) int64`."""
        return np.bincount(self.codes, minlength=len(self.values))

    def row_of(self, value: int) -> int:
        """Return the first row with the distinct cell of this number."""
        return int(np.argmax(self.codes == value))


@dataclass(frozen=True)
class RawTable:
    """What a reader returns.

    Attributes:
        source: The labels file or folder.
        format: For people, such as `CSV`.
        columns: All columns, of equal length.
        encoding: Of the text, if it is one.
        delimiter: Between cells, if there is one.
        preset: Settings of `[labels]` that the format itself decides; the user's own come first.
        notes: Sentences for `ReadAs.notes`.
        joined: Columns whose cells are part of another column's, as folders are of images' names.
        place: Says where a row (counted from 0) stands in the file, such as `line 7`.
    """

    source: Path
    format: str
    columns: tuple[Column, ...]
    encoding: str = ""
    delimiter: str = ""
    preset: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    place: Callable[[int], str] = lambda row: f"row {row + 1}"

    def __len__(self) -> int:
        return len(self.columns[0].codes) if self.columns else 0


def from_rows(
    source: Path, names: Sequence[str], rows: Sequence[Sequence[str]], places: Sequence[str]
) -> tuple[Column, ...]:
    """Return the columns of rows; raises LabelsError for a row that is longer or shorter than the header."""
    for place, row in zip(places, rows, strict=True):
        if len(row) != len(names):
            raise LabelsError(
                f"{source}, {place}: there {_values(len(row))} where {len(names)} are expected; "
                "give every row the same number of values."
            )
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return tuple(Column.of(name, column) for name, column in zip(names, cells, strict=True))


def _values(count: int) -> str:
    return "is 1 value" if count == 1 else f"are {count} values"


def from_values(name: str, values: Iterable[object]) -> Column:
    """Return a column of numbers, truth values and texts; null is a blank cell."""
    return Column.of(name, (_as_cell(value) for value in values))


def from_dictionary(name: str, cells: pa.ChunkedArray) -> Column:
    """Return a column of Arrow's dictionary-encoded text without nulls."""
    import pyarrow as pa

    whole = cells.unify_dictionaries().combine_chunks()
    parts = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
    if not parts:
        return Column.of(name, ())
    stripped: dict[str, int] = {}
    number_of = [
        stripped.setdefault(value.strip(), len(stripped)) for value in parts[0].dictionary.to_pylist()
    ]
    codes = np.concatenate([part.indices.to_numpy() for part in parts])
    return Column(name.strip(), np.array(number_of, np.int32)[codes], tuple(stripped))


def without_blank_rows(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns without the rows in which every cell is blank, as spreadsheets leave them behind."""
    filled = np.zeros(len(columns[0].codes) if columns else 0, bool)
    for column in columns:
        if "" not in column.values:
            return columns
        filled |= column.codes != column.values.index("")
    if filled.all():
        return columns
    return tuple(_of_codes(column, column.codes[filled]) for column in columns)


def with_rows(table: RawTable, kept: np.ndarray) -> RawTable:
    """Return a table with some of its rows; `kept` is `(N,) bool`."""
    rows = np.flatnonzero(kept)
    columns = tuple(_of_codes(column, column.codes[rows]) for column in table.columns)
    return replace(table, columns=columns, place=lambda row: table.place(int(rows[row])))


def transposed(table: RawTable) -> RawTable:
    """Return a table that has a column for each image with rows and columns exchanged; any other as it is."""
    images = [column for column in table.columns[1:] if looks_like_image(column.name)]
    if len(images) < 2 or 2 * len(images) <= len(table.columns) or _holds_images(table.columns[0]):
        return table
    names, lines = ["image", *table.columns[0].cells()], zip(*(c.cells() for c in images), strict=True)
    cells = [[column.name for column in images], *lines]
    columns = tuple(Column.of(name, some) for name, some in zip(names, cells, strict=True))
    note = "The table has a column for each image; it is read with rows and columns exchanged."
    form = f"{table.format} with a column for each image"
    return replace(table, format=form, columns=columns, notes=(*table.notes, note), place=_column_at)


def _holds_images(column: Column) -> bool:
    return any(map(looks_like_image, column.values[:20]))


def _column_at(row: int) -> str:
    return f"column {row + 2}"


def _of_codes(column: Column, codes: np.ndarray) -> Column:
    """Return a column of some of its cells, without the distinct cells that no longer occur."""
    used, codes = np.unique(codes, return_inverse=True)
    values = tuple(column.values[code] for code in used.tolist())
    return replace(column, codes=codes.astype(np.int32), values=values)


def _as_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value)
