"""Score any number of images into one table, on one machine, in bounded memory.

The table has the reply's columns behind the image's name, a row per image, in order:

- `image`: name relative to the folder; of a Parquet file's rows, their first text column, else their number
- `predicted_attributes`: list of names (in CSV as JSON text)
- `probabilities`: list of L floats, empty where there is an error (in CSV as JSON text)
- `error`: null, or why this image could not be read (in CSV empty)
"""

from __future__ import annotations

import csv
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.list_images import image_names
from ..errors import AimonkError, ImagesError
from ..runtime.predictor import Prediction, Predictor

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_WRITE = 512
COLUMNS = ("image", "predicted_attributes", "probabilities", "error")

Named = tuple[str, bytes | Path]
Write = Callable[[list[tuple[str, Prediction]]], object]


@dataclass(frozen=True)
class Scored:
    """How many images were scored, and how many of them could not be read."""

    images: int
    unreadable: int


def score(
    predictor: Predictor, data: Path, out: Path, progress: Callable[[int, int], None] | None = None
) -> Scored:
    """Score a folder of images, or a Parquet file with a binary column `image`, into `out`.

    `out` is written beside and renamed at the end. Reading, decoding, inference and writing overlap.

    Args:
        predictor: best loaded with `throughput=True`.
        data: all image files below the folder, sorted by name; or the Parquet file.
        out: `.parquet` or `.csv`, see the module for its columns.
        progress: called with (done, total).

    Raises:
        ImagesError: there is no such data, no image in it, or no binary column `image`.
        AimonkError: `out` has another suffix or cannot be written.
    """
    total, images = _parquet_images(data) if data.is_file() else _folder_images(data)
    names: deque[str] = deque()
    answers = ((names.popleft(), answer) for answer in predictor.stream(_noting(images, names)))
    with open_table(out) as write:
        return write_all(answers, write, (lambda done: progress(done, total)) if progress else None)


def write_all(
    answers: Iterator[tuple[str, Prediction]], write: Write, written: Callable[[int], None] | None = None
) -> Scored:
    """Write named answers in parts, and tell after each part how many are `written`."""
    done = unreadable = 0
    while rows := list(islice(answers, ROWS_PER_WRITE)):
        write(rows)
        done += len(rows)
        unreadable += sum(answer.error is not None for _, answer in rows)
        if written:
            written(done)
    return Scored(done, unreadable)


def _noting(images: Iterable[Named], names: deque[str]) -> Iterator[bytes | Path]:
    for name, image in images:
        names.append(name)
        yield image


def _folder_images(folder: Path) -> tuple[int, Iterator[Named]]:
    names = image_names(folder)
    return len(names), ((name, folder / name) for name in names)


def _parquet_images(path: Path) -> tuple[int, Iterator[Named]]:
    file, named_by = open_parquet(path)
    return file.metadata.num_rows, _rows(file, named_by)


def open_parquet(path: Path) -> tuple[pq.ParquetFile, str | None]:
    """Open a Parquet file of images; returns it and the column that names its rows, if there is one.

    Raises:
        ImagesError: it cannot be read, has no rows, or no binary column `image`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # a row group is streamed, since it may be larger than memory; pre-buffering would keep them all
        file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise ImagesError(f"{path} is not a readable Parquet file ({error}).") from None
    schema = file.schema_arrow
    if "image" not in schema.names or not _is_binary(schema.field("image").type):
        raise ImagesError(
            f"The Parquet file {path} has no binary column `image`; it has {', '.join(schema.names)}."
        )
    if file.metadata.num_rows == 0:
        raise ImagesError(f"The Parquet file {path} has no rows.")
    texts = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    return file, texts[0] if texts else None


def _rows(file: pq.ParquetFile, named_by: str | None) -> Iterator[Named]:
    numbers = count()
    for batch in file.iter_batches(batch_size=32, columns=["image", *([named_by] if named_by else [])]):
        names = (
            batch.column(named_by).to_pylist()
            if named_by
            else [str(next(numbers)) for _ in range(len(batch))]
        )
        for name, image in zip(names, batch.column("image"), strict=True):
            yield name or "", image.as_py() or b""


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


@contextmanager
def open_table(out: Path) -> Iterator[Write]:
    """A function that appends rows to a file beside `out`, which takes its place when all went well.

    Raises:
        AimonkError: `out` has another suffix or cannot be written.
    """
    tables = {".parquet": _parquet_table, ".csv": _csv_table}
    if out.suffix not in tables:
        raise AimonkError(
            f"Scores are written as .parquet or .csv, not {out.suffix or out.name!r}; rename {out}."
        )
    beside = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        with tables[out.suffix](beside) as write:
            yield write
        os.replace(beside, out)
    except OSError as error:
        raise AimonkError(f"The scores cannot be written to {out}: {error.strerror or error}.") from None
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _parquet_table(path: Path) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = (pa.string(), pa.list_(pa.string()), pa.list_(pa.float64()), pa.string())
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda rows: writer.write_table(
            pa.table([list(column) for column in zip(*map(_cells, rows), strict=True)], schema=schema)
        )


@contextmanager
def _csv_table(path: Path) -> Iterator[Write]:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        yield lambda rows: writer.writerows(
            (name, json.dumps(attributes, ensure_ascii=False), json.dumps(probabilities), error)
            for name, attributes, probabilities, error in map(_cells, rows)
        )


def _cells(row: tuple[str, Prediction]) -> tuple[str, list[str], list[float], str | None]:
    name, answer = row
    return name, list(answer.predicted_attributes), list(answer.probabilities), answer.error
