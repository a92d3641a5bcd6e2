"""Parquet, of any column types; an image may be Hugging Face's struct of bytes and path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import LabelsError
from .raw_table import Column, RawTable, from_dictionary, from_values

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
    columns = tuple(_column(path, name, table.column(name)) for name in table.column_names)
    return RawTable(path, "Parquet", columns)


def _selected(field: pa.Field) -> str:
    """Return what to read of a column: without the images' bytes, which may be gigabytes."""
    import pyarrow as pa

    if pa.types.is_struct(field.type) and field.type.get_field_index("path") >= 0:
        return f"{field.name}.path"
    return str(field.name)


def _column(path: Path, name: str, cells: pa.ChunkedArray) -> Column:
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
        return Column.of(name, [""] * len(cells))
    if pa.types.is_nested(cells.type):
        return from_values(name, cells.to_pylist())
    if pa.types.is_dictionary(cells.type):
        cells = compute.cast(cells, cells.type.value_type)
    text = compute.fill_null(compute.cast(cells, pa.string()), "")
    return from_dictionary(name, text.dictionary_encode())
