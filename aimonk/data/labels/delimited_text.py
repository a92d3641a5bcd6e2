"""CSV, TSV and their kin: one record a line, cells between delimiters, names in the first record."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ...errors import LabelsError
from .image_names import looks_like_image, rank
from .raw_table import Column, RawTable, from_dictionary, from_rows, transposed, without_blank_rows
from .table_header import find_header

_FORMS = {"\t": "TSV"}
_SAMPLE = 200
"""Records that are looked at to find the names of the columns."""


def read_delimited(path: Path, text: str, encoding: str, delimiter: str) -> RawTable:
    """Return the table of a delimited text.

    A first record that begins with an image's name is no header: the attributes are then called attr1, attr2
    and so on. A header that is one name short, as R writes it and CelebA has it, lacks the image's name,
    unless every record ends with a delimiter. Raises LabelsError for a record of another length than the
    others.
    """
    sample, quote = _sample(path, text, delimiter)
    header = find_header(sample) if sample else None
    notes: tuple[str, ...] = ()
    skipped = 0
    names: list[str] = []
    rows = sample[header.first - 1 :] if header else []
    image = _first_image(rows)
    if header is None or image is not None:
        names = [f"attr{number}" for number in range(1, len(rows[0]) if rows else 1)]
        names.insert(image or 0, "image" if image else "")
        notes = ("The file has no header line; its attributes are called attr1, attr2 and so on.",)
        skipped = header.first - 1 if header else 0
    else:
        skipped, notes = header.first, header.notes
        names = _completed(list(header.names), sample[skipped:])

    def place(row: int) -> str:
        lines = (line for line, record in _numbered(text, delimiter, quote) if any(record))
        return f"line {next(islice(lines, row + skipped, None), 0)}"

    body = _after(text, delimiter, quote, skipped)
    columns = _fast(names, body, delimiter, quote)
    if columns is None:
        columns = _careful(path, names, text, delimiter, quote, skipped)
    form = _FORMS.get(delimiter, "CSV")
    return transposed(
        RawTable(path, form, without_blank_rows(columns), encoding, delimiter, notes=notes, place=place)
    )


def _first_image(rows: list[list[str]]) -> int | None:
    """Return the column of images in which the first row has one too, which makes it no header."""
    for at, cell in enumerate(rows[0] if rows else []):
        below = rows[1][at] if len(rows) > 1 and at < len(rows[1]) else ""
        if looks_like_image(cell) and (at == 0 or looks_like_image(below)):
            return at
    return None


def _completed(names: list[str], rows: list[list[str]]) -> list[str]:
    """Return a name for each cell of the rows, where the header is one name short."""
    if not rows or len(rows[0]) != len(names) + 1:
        return names
    if all(len(row) == len(names) + 1 and not row[-1].strip() for row in rows):
        return [*names, ""]  # a delimiter at the end of each line but the header
    image_named = any(rank(name) is not None for name in names)
    return names if image_named or not looks_like_image(rows[0][0]) else ["", *names]


def _sample(path: Path, text: str, delimiter: str) -> tuple[list[list[str]], str]:
    """Return the first records that are not blank, and the sign that quotes their cells."""
    try:
        found = [record for record in islice(_records(text, delimiter, '"'), _SAMPLE) if any(record)]
        single = len(found) > 1 and all(re.fullmatch("'.*'", row[0]) for row in found[1:])
        if single and '"' not in text:
            found = [record for record in islice(_records(text, delimiter, "'"), _SAMPLE) if any(record)]
            return found, "'"
    except csv.Error as error:
        raise _invalid(path, error) from None
    return found, '"'


def _records(text: str, delimiter: str, quote: str) -> Iterator[list[str]]:
    return csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, skipinitialspace=True
    )


def _numbered(text: str, delimiter: str, quote: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, skipinitialspace=True
    )
    return [(reader.line_num, record) for record in reader]


def _after(text: str, delimiter: str, quote: str, skipped: int) -> str:
    """Return what follows so many records that are not blank; a record may span several lines."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    while skipped:
        skipped -= any(next(reader, ["end"]))
    return lines.read()


def _fast(names: list[str], body: str, delimiter: str, quote: str) -> tuple[Column, ...] | None:
    """Read with Arrow, 20 times as fast as `csv`; None for what only `csv` reads, or can report."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    # Arrow knows no quotes after blanks and no delimiter but ASCII, and rejects a text of blank lines.
    if not body.strip() or not delimiter.isascii() or re.search(re.escape(delimiter) + " +" + quote, body):
        return None
    keys = [str(at) for at in range(len(names))]
    kind = pa.dictionary(pa.int32(), pa.string())
    try:
        table = arrow.read_csv(
            pa.BufferReader(body.encode()),
            arrow.ReadOptions(column_names=keys, block_size=2**24),
            arrow.ParseOptions(delimiter=delimiter, quote_char=quote, newlines_in_values=quote in body),
            arrow.ConvertOptions(column_types=dict.fromkeys(keys, kind), strings_can_be_null=False),
        )
    except pa.ArrowException:
        return None
    return tuple(from_dictionary(name, table.column(key)) for name, key in zip(names, keys, strict=True))


def _careful(
    path: Path, names: list[str], text: str, delimiter: str, quote: str, skipped: int
) -> tuple[Column, ...]:
    try:
        numbered = [(line, record) for line, record in _numbered(text, delimiter, quote) if any(record)]
    except csv.Error as error:
        raise _invalid(path, error) from None
    records = numbered[skipped:]
    return from_rows(path, names, [record for _, record in records], [f"line {line}" for line, _ in records])


def _invalid(path: Path, error: csv.Error) -> LabelsError:
    return LabelsError(f"{path} is not valid CSV: {error}; save it again, with quotes closed.")
