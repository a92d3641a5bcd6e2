"""Parquet, of any column types; an image may be Hugging Face's struct of bytes and path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import LabelsError
from .nested_cells import nested_columns
from .raw_table import Column, RawTable, from_dictionary

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: Path) -> RawTable:
    """Return the table of a Parquet file.

    Of a struct with a field `path` (an image with its bytes) only the path is read. Raises LabelsError for a
    damaged file, or for images without a path, which no row could be matched to.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        table = file.read([_selected(field) for field in file.schema_arrow])
    except pa.ArrowException as error:
        raise LabelsError(f"{path} cannot be read as Parquet ({error}): write it again.") from None
    classes = _class_names(table.schema)
    columns = tuple(
        column
        for name in table.column_names
        for column in _columns(path, name, table.column(name), classes.get(name, []))
    )
    return RawTable(path, "Parquet", columns)


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Return what the numbers in columns of classes stand for, as Hugging Face's data sets say it."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        held = {name: feature.get("feature", feature) for name, feature in features.items()}
        return {name: list(one["names"]) for name, one in held.items() if one.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _selected(field: pa.Field) -> str:
    """Return what to read of a column: without the images' bytes, which may be gigabytes."""
    import pyarrow as pa

    if pa.types.is_struct(field.type) and field.type.get_field_index("path") >= 0:
        return f"{field.name}.path"
    return str(field.name)


def _columns(path: Path, name: str, cells: pa.ChunkedArray, classes: list[str]) -> list[Column]:
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_struct(cells.type) and cells.type.get_field_index("path") >= 0:
        cells = compute.struct_field(cells, "path")
        if cells.null_count:
            raise LabelsError(
                f"{path}: {cells.null_count} images in the column {name!r} have bytes but no path; "
                "save them as files, and name the files in the table."
            )
    if pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type):
        return [Column.of(name, [""] * len(cells))]
    if pa.types.is_struct(cells.type):
        parts = ((part.name, compute.struct_field(cells, part.name)) for part in cells.type)
        return [column for part, held in parts for column in _columns(path, part, held, [])]
    if pa.types.is_nested(cells.type):
        return nested_columns(name, [_named(value, classes) for value in cells.to_pylist()])
    if pa.types.is_dictionary(cells.type):
        cells = compute.cast(cells, cells.type.value_type)
    if classes:
        return [Column.of(name, (_named(value, classes) for value in cells.to_pylist()))]
    text = compute.fill_null(compute.cast(cells, pa.string()), "")
    return [from_dictionary(name, text.dictionary_encode())]


def _named(value: Any, classes: list[str]) -> Any:
    """Return the names of classes for their numbers; a number without a name, such as -1, is not known."""
    if not classes:
        return value
    if isinstance(value, list):
        return [classes[number] for number in value if number in range(len(classes))]
    return classes[value] if value in range(len(classes)) else "NA"
