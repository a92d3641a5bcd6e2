"""Excel workbooks."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .raw_table import RawTable, from_rows, without_blank_rows


def read_spreadsheet(path: Path) -> RawTable:
    """Return the one sheet of an .xlsx workbook that holds a table; its first filled row is the header.

    Numbers and truth values become the text that a CSV file would have. Raises LabelsError for a damaged
    workbook, and where several sheets hold tables.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
        book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise LabelsError(f"{path} cannot be read as an Excel workbook ({error}): save it again.") from None
    tables = {title: rows for title, rows in sheets.items() if sum(map(_filled, rows)) > 1}
    if len(tables) > 1:
        raise LabelsError(
            f"{path} holds {len(tables)} sheets with tables, {', '.join(map(repr, tables))}: "
            "keep one of them, or save it as CSV."
        )
    rows = next(iter(tables.values()), [])
    filled = [(number, row) for number, row in enumerate(rows, start=1) if _filled(row)]
    if not filled:
        raise LabelsError(f"{path} holds no rows: give each image a row of labels.")
    header = [_cell(value) for value in filled[0][1]]
    width = max(
        at + 1 for at in range(len(header)) if any(_cell(row[at]) for _, row in filled if at < len(row))
    )
    padded = [[_cell(value) for value in (*row, *(None,) * width)][:width] for _, row in filled[1:]]
    places = [f"row {number}" for number, _ in filled[1:]]
    columns = from_rows(path, header[:width], padded, places)
    return RawTable(path, "an Excel sheet", without_blank_rows(columns), place=lambda row: places[row])


def _filled(row: tuple[Any, ...]) -> bool:
    return any(_cell(value) for value in row)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
