"""Names that a data set keeps in a file beside its labels, which only number or abbreviate them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from ...errors import LabelsError
from .raw_table import Column, RawTable
from .text_encoding import read_text

_ATTRIBUTES = "list_attr_cloth.txt"
"""DeepFashion's attributes: a count, a header, then a name and the number of its type in each line."""

_CATEGORIES = "list_category_cloth.txt"
"""DeepFashion's categories, in the same form; the first one is number 1."""


def with_names_beside(table: RawTable) -> RawTable:
    """Return the table with the names of the attributes that a file beside it knows.

    DeepFashion names its attributes in `list_attr_cloth.txt` and its categories in `list_category_cloth.txt`;
    Open Images has `class-descriptions.csv` for codes such as `/m/01yrx`.

    Raises:
        LabelsError: The table is itself such a file.
    """
    if table.source.name.startswith(("list_attr_cloth", "list_category_cloth")):
        labels = table.source.name.replace("cloth", "img")
        raise LabelsError(f"{table.source} names attributes and has no labels: give {labels} to --labels.")
    folder = table.source.parent
    numbered = table.columns[1:]
    if _unnamed(numbered) and (names := _deepfashion(folder / _ATTRIBUTES)) and len(names) == len(numbered):
        columns = tuple(replace(column, name=name) for column, name in zip(numbered, names, strict=True))
        note = f"The attributes are named by {_ATTRIBUTES} beside the file."
        return replace(table, columns=(table.columns[0], *columns), notes=(note,))
    if [column.name for column in numbered] == ["category_label"]:
        return _with_categories(table, _deepfashion(folder / _CATEGORIES))
    return _with_descriptions(table)


def _unnamed(columns: tuple[Column, ...]) -> bool:
    return all(column.name == f"attr{number}" for number, column in enumerate(columns, start=1))


def _deepfashion(path: Path) -> list[str]:
    """Return the names in a file of DeepFashion; none if it is not there."""
    if not path.is_file():
        return []
    lines = [line for line in read_text(path)[0].splitlines() if line.strip()]
    return [line.rstrip().rsplit(None, 1)[0].strip() for line in lines[2:]]


def _with_categories(table: RawTable, names: list[str]) -> RawTable:
    image, numbers = table.columns
    known = {str(number): name for number, name in enumerate(names, start=1)}
    if not known.keys() >= set(numbers.values):
        return table
    column = replace(
        numbers, name="category", values=tuple(known[value] for value in numbers.values), listed=True
    )
    note = f"The categories are named by {_CATEGORIES} beside the file."
    return replace(table, columns=(image, column), preset={"tags": ("category",)}, notes=(note,))


def _with_descriptions(table: RawTable) -> RawTable:
    """Return the table with Open Images' codes replaced by the names that a file beside it gives."""
    coded = [at for at, column in enumerate(table.columns) if all(v.startswith("/m/") for v in column.values)]
    files = sorted(table.source.parent.glob("*class-descriptions*.csv"))
    if not coded or not files or not table.columns[coded[0]].values:
        return table
    rows = csv.reader(read_text(files[0])[0].splitlines())
    known = {row[0]: row[1] for row in rows if len(row) > 1}
    if len(set(known.values())) < len(known):
        return table
    columns = list(table.columns)
    for at in coded:
        values = tuple(known.get(value, value) for value in columns[at].values)
        columns[at] = replace(columns[at], values=values)
    note = f"The labels are named by {files[0].name} beside the file."
    return replace(table, columns=tuple(columns), notes=(*table.notes, note))
