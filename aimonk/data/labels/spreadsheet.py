"""Excel workbooks."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .image_names import looks_like_image, rank
from .raw_table import Column, RawTable, from_rows, transposed, without_blank_rows
from .sets import set_named
from .table_header import find_header


def read_spreadsheet(path: Path) -> RawTable:
    """Return the sheet of an .xlsx workbook that holds a table of images.

    Numbers and truth values become the text that a CSV file would have. Sheets with the same columns are read
    as one table, and are sets if they are named train, validation or test.

    Raises:
        LabelsError: The workbook is damaged, or sheets with other columns also name images.
    """
    tables = {title: _sheet(path, title, rows) for title, rows in _rows(path).items() if len(rows) > 1}
    if not tables:
        raise LabelsError(f"{path} holds no rows: give each image a row of labels.")
    labels = (
        {title: table for title, table in tables.items() if _names_images(table)}
        or {title: table for title, table in tables.items() if _may_name_images(table)}
        or tables
    )
    others = [title for title in tables if title not in labels]
    first = next(iter(labels.values()))
    names = [column.name for column in first.columns]
    if any([column.name for column in table.columns] != names for table in labels.values()):
        raise LabelsError(
            f"{path} holds {len(labels)} sheets with tables, {', '.join(map(repr, labels))}: "
            "keep one of them, or save it as CSV."
        )
    notes = (f"Other sheets are not read: {', '.join(map(repr, others))}.",) if others else ()
    if len(labels) > 1:
        first = _stacked(labels)
        notes = (f"The sheets {', '.join(map(repr, labels))} are read as one table.", *notes)
    return transposed(replace(first, notes=(*first.notes, *notes)))


def _rows(path: Path) -> dict[str, list[tuple[int, list[str]]]]:
    """Return the filled rows of each sheet, numbered as Excel shows them."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    parts = _parts(path)
    if "content.xml" in parts:
        raise LabelsError(f"{path} is a sheet of LibreOffice, which is not read: save it as .xlsx or CSV.")
    if "xl/workbook.xml" not in parts:
        raise LabelsError(f"{path} is an archive, which is not read as labels: unpack it first.")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
        book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise LabelsError(f"{path} cannot be read as an Excel workbook ({error}): save it again.") from None
    return {title: _filled(rows) for title, rows in sheets.items()}


def _parts(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise LabelsError(f"{path} cannot be read as an Excel workbook ({error}): save it again.") from None


def _filled(rows: list[tuple[Any, ...]]) -> list[tuple[int, list[str]]]:
    numbered = [(number, [_cell(value) for value in row]) for number, row in enumerate(rows, start=1)]
    return [(number, row) for number, row in numbered if any(row)]


def _sheet(path: Path, title: str, rows: list[tuple[int, list[str]]]) -> RawTable:
    header = find_header([row for _, row in rows])
    body = rows[header.first :]
    used = [*(row for _, row in body), list(header.names)]
    width = max(at + 1 for row in used for at, cell in enumerate(row) if cell)
    padded = [[*row, *[""] * width][:width] for _, row in body]
    places = [f"row {number}" for number, _ in body]
    names = [*header.names, *[""] * width][:width]
    columns = without_blank_rows(from_rows(path, names, padded, places))

    def place(row: int) -> str:
        return places[row]

    return RawTable(path, "an Excel sheet", columns, notes=header.notes, place=place)


def _names_images(table: RawTable) -> bool:
    return any(_mostly(looks_like_image, column.values) for column in table.columns)


def _may_name_images(table: RawTable) -> bool:
    return any(rank(column.name) is not None for column in table.columns)


def _mostly(fits: Callable[[str], bool], values: Sequence[str]) -> bool:
    filled = [value for value in values[:200] if value]
    return 2 * sum(map(fits, filled)) > len(filled)


def _stacked(tables: dict[str, RawTable]) -> RawTable:
    first = next(iter(tables.values()))
    columns = [
        Column.of(column.name, (cell for table in tables.values() for cell in table.columns[at].cells()))
        for at, column in enumerate(first.columns)
    ]
    places = [
        f"sheet {title!r}, {table.place(row)}" for title, table in tables.items() for row in range(len(table))
    ]
    if all(map(set_named, tables)):
        cells = (title for title, table in tables.items() for _ in range(len(table)))
        columns.append(Column.of("split", cells))
    return replace(first, columns=tuple(columns), place=lambda row: places[row])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
