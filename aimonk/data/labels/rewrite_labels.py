"""A labels file with some cells changed, in the format and spelling it came in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...config import LabelsConfig
from ...errors import LabelsError
from .coding import find_coding
from .column_roles import find_roles
from .label_table import MISSING, LabelTable
from .raw_table import RawTable
from .read_labels import read_labels
from .recognize import read_raw
from .text_encoding import read_text
from .write_labels import write_labels

Cells = Mapping[tuple[str, str], float]
"""(image as the file spells it, attribute) to 1, 0 or `MISSING`."""

_TOKENS = {1.0: "1", 0.0: "0", MISSING: "NA"}


_Edits = dict[tuple[int, int], str]
"""(row, column of the raw table) to the token to write there."""


def rewrite_labels(source: Path, cells: Cells, out: Path, config: LabelsConfig | None = None) -> str:
    """Write the labels of `source` with these cells changed to `out`, and return the format for people.

    CSV and its kin, text separated by blanks, and Parquet keep their format, columns and spelling; rows that
    do not change keep their cells. Any other format becomes the canonical CSV. What was written is read again
    and compared before it takes its place.

    Args:
        source: Labels file or folder.
        cells: What to change; images and attributes that the file does not have are an error.
        out: File to write, which may be `source`. It is replaced whole or not at all by the caller, who
            passes a temporary path.
        config: How `source` is read.

    Raises:
        LabelsError: `source` cannot be read, or what would be written would not be read as meant.
    """
    config = config or LabelsConfig()
    table = read_labels(source, config)
    expected = changed(table, cells)
    raw = read_raw(source, config.encoding)
    write = _writers().get(raw.format)
    if write is None or table.read_as.tags:
        write_labels(replace(expected, split=table.split), out)
        return "CSV"
    write(raw, _edits(raw, cells, config), out)
    again = read_labels(out, config)
    if again.attributes != expected.attributes or not np.array_equal(again.targets, expected.targets):
        raise LabelsError(
            f"The labels {source} cannot be written in their own format so that they are read as meant; "
            "convert them to CSV with 1, 0 and NA first."
        )
    return raw.format


def changed(table: LabelTable, cells: Cells) -> LabelTable:
    """Return the table with these cells changed.

    >>> table = LabelTable(Path("l.csv"), ("a.jpg",), ("red",), np.array([[-1.0]], np.float32))
    >>> changed(table, {("a.jpg", "red"): 1.0}).targets.tolist()
    [[1.0]]
    """
    rows = {image: row for row, image in enumerate(table.images)}
    columns = {name: column for column, name in enumerate(table.attributes)}
    targets = table.targets.copy()
    for (image, attribute), value in cells.items():
        targets[rows[image], columns[attribute]] = value
    return replace(table, targets=targets)


def contradicted(source: Path, config: LabelsConfig | None = None) -> frozenset[tuple[str, str]]:
    """Return the (image, attribute) that people have labeled present in one row and absent in another.

    They count as not known, but they are not missing: whoever fills them would overwrite two labels.
    """
    config = config or LabelsConfig()
    read_as = read_labels(source, config).read_as
    if read_as.tags or not read_as.contradictions:
        return frozenset()
    raw = read_raw(source, config.encoding)
    roles = find_roles(raw, config)
    coding = find_coding(raw, roles.attributes, config)
    images = roles.image.cells()
    found: set[tuple[str, str]] = set()
    for column in roles.attributes:
        seen: dict[str, set[float]] = {}
        for image, value in zip(images, coding.targets(column).tolist(), strict=True):
            seen.setdefault(image, set()).add(value)
        found |= {(image, column.name) for image, values in seen.items() if {0.0, 1.0} <= values}
    return frozenset(found)


def _edits(raw: RawTable, cells: Cells, config: LabelsConfig) -> _Edits:
    """Find the rows of each image; each value is spelled as its column, else another one, mostly does."""
    roles = find_roles(raw, config)
    coding = find_coding(raw, roles.attributes, config)
    usual: dict[float, str] = dict(_TOKENS)
    spelled: list[dict[float, str]] = []
    for column in roles.attributes:
        meanings, counts = coding.targets(column), column.counts()
        own: dict[float, str] = {}
        for code in np.argsort(counts, kind="stable"):  # the most frequent one comes last and stays
            own[float(meanings[column.row_of(int(code))])] = column.values[code]
        spelled.append(own)
    for own in spelled:
        usual.update(own)
    place = {column.name: at for at, column in enumerate(raw.columns)}
    rows: dict[str, list[int]] = {}
    for row, code in enumerate(roles.image.codes.tolist()):
        rows.setdefault(roles.image.values[code], []).append(row)
    own_of = dict(zip((column.name for column in roles.attributes), spelled, strict=True))
    return {
        (row, place[attribute]): own_of[attribute].get(value, usual[value])
        for (image, attribute), value in cells.items()
        for row in rows[image]
    }


def _writers() -> dict[str, Callable[[RawTable, _Edits, Path], None]]:
    return {
        "CSV": _write_delimited,
        "TSV": _write_delimited,
        "text separated by blanks": _write_whitespace,
        "Parquet": _write_parquet,
    }


def _write_delimited(raw: RawTable, edits: _Edits, out: Path) -> None:
    text, encoding = read_text(raw.source, raw.encoding)
    end = "\r\n" if "\r\n" in text else "\n"
    first, _, rest = text.partition("\n")
    hinted = first.strip().lower().startswith("sep=") or first.strip().isdigit()
    body, prefix = (rest, first.rstrip("\r") + end) if hinted else (text, "")
    records = list(csv.reader(io.StringIO(body, newline=""), delimiter=raw.delimiter, skipinitialspace=True))
    filled = [at for at, record in enumerate(records) if any(cell.strip() for cell in record)]
    data = filled[len(filled) - len(raw) :]
    for (row, column), token in edits.items():
        records[data[row]][column] = token
    new = io.StringIO()
    csv.writer(new, delimiter=raw.delimiter, lineterminator=end).writerows(records)
    _write_text(raw.source, prefix + new.getvalue(), encoding, out)


def _write_whitespace(raw: RawTable, edits: _Edits, out: Path) -> None:
    """Change the labels where they stand; blanks between cells stay as they are."""
    text, encoding = read_text(raw.source, raw.encoding)
    lines = re.split(r"(\r\n|\r|\n)", text)
    filled = [at for at in range(0, len(lines), 2) if lines[at].strip()]
    data = filled[len(filled) - len(raw) :]
    labels = len(raw.columns) - 1
    for (row, column), token in edits.items():
        parts = re.split(r"(\s+)", lines[data[row]].rstrip())
        parts[2 * (column - 1 - labels) + len(parts) + 1] = token
        lines[data[row]] = "".join(parts)
    _write_text(raw.source, "".join(lines), encoding, out)


def _write_text(source: Path, text: str, encoding: str, out: Path) -> None:
    mark = codecs.BOM_UTF8 if source.read_bytes().startswith(codecs.BOM_UTF8) else b""
    out.write_bytes(mark + text.encode(encoding))


def _write_parquet(raw: RawTable, edits: _Edits, out: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(raw.source)
    for column in sorted({column for _, column in edits}):
        field = table.schema.field(column)
        values = table.column(column).to_pylist()
        for (row, at), token in edits.items():
            if at == column:
                values[row] = _typed(token, field.type)
        table = table.set_column(column, field, pa.array(values, type=field.type))
    parquet.write_table(table, out)


def _typed(token: str, kind: object) -> object:
    """Return a token as a Parquet column of this type holds it."""
    import pyarrow as pa

    if token == "" or (token == "NA" and not pa.types.is_string(kind)):
        return None
    if pa.types.is_boolean(kind):
        return token.lower() in ("true", "1")
    if pa.types.is_integer(kind):
        return int(float(token))
    return float(token) if pa.types.is_floating(kind) else token
