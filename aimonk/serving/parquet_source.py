"""The rows of a Parquet file as images: bytes, paths, or structs of both as Hugging Face writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ImagesError
from ..runtime.image_cell import image_bytes
from ..runtime.predictor import Source
from .remote_files import open_location
from .scoring_source import ScoringSource, all_different, fetched, located

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS_PER_READ = 32


def parquet_source(uri: str | Path, image: str = "image", name: str = "") -> ScoringSource:
    """Every row of a Parquet file, in its order.

    Args:
        uri: the file.
        image: column of images: encoded bytes, paths (relative to the file's folder) or URIs, or structs
            `{bytes, path}`.
        name: column that names the rows; repeated names get the row's number. Without it, the first column
            of texts that are all different names them, and else their numbers do.

    Raises:
        ImagesError: it cannot be read, has no rows, or lacks a column.
        AimonkError: its location cannot be opened.
    """
    fs, path = open_location(uri)
    file = _open(fs, path, uri)
    schema = file.schema_arrow
    _check_columns(schema, uri, image, name)
    if file.metadata.num_rows == 0:
        raise ImagesError(f"The Parquet file {uri} has no rows.")
    digest = hashlib.sha256(f"{fs.ukey(path)}\0{image}\0{name}".encode()).hexdigest()
    names = _names(file, image, name)
    return ScoringSource(names, digest, partial(_images, fs, path, uri, image), {})


def column_type(schema: pa.Schema, image: str) -> str:
    """`bytes`, `path`, `struct`, or an empty text for a column that holds no images."""
    import pyarrow as pa

    kind = schema.field(image).type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "path"
    names = {field.name for field in kind} if pa.types.is_struct(kind) else set()
    return "struct" if names and names <= {"bytes", "path"} else ""


def _open(fs: Any, path: str, uri: str | Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # a row group is streamed, since it may be larger than memory; pre-buffering would keep them all
        return pq.ParquetFile(fs.open(path, "rb"), buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise ImagesError(f"{uri} is not a readable Parquet file ({error}).") from None


def _check_columns(schema: pa.Schema, uri: str | Path, image: str, name: str) -> None:
    listed = ", ".join(schema.names)
    for column in filter(None, (image, name)):
        if column not in schema.names:
            raise ImagesError(f"The Parquet file {uri} has no column `{column}`; it has {listed}.")
    if not column_type(schema, image):
        kind = schema.field(image).type
        raise ImagesError(
            f"The column `{image}` of {uri} holds {kind}; images are bytes, paths, or structs of bytes and "
            "path."
        )


def _names(file: pq.ParquetFile, image: str, name: str) -> list[str]:
    import pyarrow as pa

    if name:
        column = file.read(columns=[name]).column(0)
        return all_different(None if cell is None else str(cell) for cell in column.to_pylist())
    schema = file.schema_arrow
    texts = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    if column_type(schema, image) == "struct" and "path" in {
        field.name for field in schema.field(image).type
    }:
        texts.insert(0, f"{image}.path")
    for candidate in texts:
        column = file.read(columns=[candidate]).column(0)
        cells = [cell["path"] if isinstance(cell, dict) else cell for cell in column.to_pylist()]
        if all(cells) and len(set(cells)) == len(cells):
            return cells
    return [str(number) for number in range(file.metadata.num_rows)]


def _images(fs: Any, path: str, uri: str | Path, image: str, start: int) -> Iterator[Source]:
    file = _open(fs, path, uri)
    folder = path.rpartition("/")[0]
    kind = column_type(file.schema_arrow, image)
    cells = _cells(file, image, start)
    if kind == "bytes":
        return map(image_bytes, cells)
    return fetched(partial(_image, fs=fs, folder=folder), cells)


def _image(cell: Any, fs: Any, folder: str) -> Source:
    if isinstance(cell, dict):
        cell = cell.get("bytes") or cell.get("path")
    return located(cell, fs, folder) if isinstance(cell, str) and cell else image_bytes(cell)


def _cells(file: pq.ParquetFile, image: str, start: int) -> Iterator[Any]:
    """The column's cells from a row on; row groups before it are not read."""
    import pyarrow as pa

    groups, passed = list(range(file.num_row_groups)), 0
    while groups and passed + file.metadata.row_group(groups[0]).num_rows <= start:
        passed += file.metadata.row_group(groups.pop(0)).num_rows
    if not groups:
        return
    try:
        for batch in file.iter_batches(batch_size=_ROWS_PER_READ, row_groups=groups, columns=[image]):
            for cell in batch.column(0):
                if passed >= start:
                    yield cell.as_py()
                passed += 1
    except (pa.ArrowException, OSError) as error:
        raise ImagesError(f"The Parquet file is damaged after row {passed:,} ({error}).") from None
