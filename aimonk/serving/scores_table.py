"""The table of scores: its columns, and how it is written as Parquet or CSV, in one file or in several.

Long format, the reply's columns behind the image's name:

- `image`: name relative to the folder, or of the Parquet file's row
- `predicted_attributes`: list of names (in CSV as JSON text)
- `probabilities`: list of L floats, empty where there is an error (in CSV as JSON text)
- `error`: null, or why this image could not be read (in CSV empty)

Wide format: `image`, `error`, and for each attribute a column of its name with the probability, null where
there is an error.

A cell of CSV that a spreadsheet would run as a formula, because it begins with `=`, `+`, `-`, `@`, a tab or a
carriage return, gets an apostrophe in front (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from ..errors import AimonkError
from ..runtime.prediction import Prediction

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["long", "wide"]
SUFFIXES = (".parquet", ".csv")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_suffix(out: str) -> str:
    """Return the suffix of a table's name.

    Raises:
        AimonkError: it is neither `.parquet` nor `.csv`.
    """
    for suffix in SUFFIXES:
        if out.lower().endswith(suffix):
            return suffix
    last = out.replace("\\", "/").rpartition("/")[2]
    found = f".{last.rpartition('.')[2]}" if "." in last else last
    raise AimonkError(f"Scores are written as .parquet or .csv, not {found!r}; rename {out}.")


def long_schema() -> pa.Schema:
    """Columns and types of the long format."""
    import pyarrow as pa

    return pa.schema(
        [
            ("image", pa.string()),
            ("predicted_attributes", pa.list_(pa.string())),
            ("probabilities", pa.list_(pa.float64())),
            ("error", pa.string()),
        ]
    )


def long_table(names: Sequence[str], predictions: Sequence[Prediction]) -> pa.Table:
    """Rows in the long format."""
    import pyarrow as pa

    columns = (
        list(names),
        [list(prediction.predicted_attributes) for prediction in predictions],
        [list(prediction.probabilities) for prediction in predictions],
        [prediction.error for prediction in predictions],
    )
    return pa.table(list(columns), schema=long_schema())


def wide_table(table: pa.Table, attributes: Sequence[str]) -> pa.Table:
    """The same rows in the wide format."""
    import pyarrow as pa

    rows = table["probabilities"].to_pylist()
    columns: dict[str, Any] = {"image": table["image"], "error": table["error"]}
    for index, attribute in enumerate(attributes):
        name = f"{attribute} (probability)" if attribute in ("image", "error") else attribute
        columns[name] = pa.array([row[index] if row else None for row in rows], pa.float64())
    return pa.table(columns)


@contextmanager
def table_writer(file: Any, suffix: str) -> Iterator[Callable[[pa.Table], None]]:
    """A function that appends tables of one schema to a binary file."""
    if suffix == ".csv":
        with _csv_writer(file) as write:
            yield write
        return
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None

    def append(table: pa.Table) -> None:
        nonlocal writer
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)

    try:
        yield append
    finally:
        if writer is not None:
            writer.close()


@contextmanager
def _csv_writer(file: Any) -> Iterator[Callable[[pa.Table], None]]:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text)
    header = True

    def append(table: pa.Table) -> None:
        nonlocal header
        if header:
            rows.writerow(map(_defused, table.column_names))
            header = False
        rows.writerows(
            map(_csv_cell, row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
        )

    yield append
    text.detach()


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return _defused(cell) if isinstance(cell, str) else cell


def _defused(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
