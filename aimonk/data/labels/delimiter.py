"""What stands between the cells of a text table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice

from .image_names import looks_like_image, split_after_image
from .tokens import is_label

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE = 200
"""Records looked at."""

_ABOVE = 20
"""Most records of a title above the table."""

_NEVER = frozenset("._-/\\\"'()")
"""Signs that occur in names of files."""


def find_delimiter(text: str) -> str:
    r"""Return the delimiter of a text table, or "" where blanks separate its cells.

    The delimiter must occur in the first record, and is the one that cuts most of the first records into
    the same number of cells; of several, the one that makes the most cells. That tells the semicolons of
    `image;height` apart from the decimal commas of `a.jpg;0,67`, and commas from the `|` between tags. Only
    where there is none may a title stand above the table, or another sign separate labels.

    >>> find_delimiter("image;soft\na.jpg;0,67\n"), find_delimiter("image~red\na.jpg~1\n")
    (';', '~')
    """
    sample = text[:262144]
    if _has_blanks_only(sample):
        return ""
    cut = {delimiter: _widths(sample, delimiter) for delimiter in DELIMITERS}
    best, delimiter = (0.0, 1), ""
    for candidate, widths in cut.items():
        if not widths or widths[0] < 2:
            continue
        width, times = Counter(width for width in widths if width > 1).most_common(1)[0]
        best, delimiter = max((best, delimiter), ((times / len(widths), width), candidate))
    return delimiter or _below_title(sample, cut) or _unusual(sample)


def _has_blanks_only(sample: str) -> bool:
    """Whether each line is an image's name and labels after blanks; the last line may be cut off."""
    lines = [line for line in sample.splitlines() if line.strip()][:_SAMPLE]
    parts = [split_after_image(line) for line in lines]
    return bool(lines) and all(
        part is not None and part[1] and all(map(is_label, part[1].split())) for part in parts
    )


def _widths(sample: str, delimiter: str) -> list[int]:
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
        return [len(record) for record in islice(reader, _SAMPLE) if any(record)]
    except csv.Error:
        return []


def _below_title(sample: str, cut: dict[str, list[int]]) -> str:
    """Return the delimiter of a table that begins below a title."""
    lines = [line for line in sample.splitlines() if line.strip()]
    for delimiter, widths in cut.items():
        top = next((at for at, width in enumerate(widths) if width > 1), len(widths))
        below = widths[top:]
        if top > _ABOVE or len(below) < 2 or split_after_image(lines[top]) is not None:
            continue
        if Counter(below).most_common(1)[0][1] >= 0.8 * len(below):
            return delimiter
    return ""


def _unusual(sample: str) -> str:
    """Return a sign that occurs equally often in every line, and after which labels stand."""
    lines = [line for line in sample.splitlines() if line.strip()][:_SAMPLE]
    if len(lines) < 2:
        return ""
    signs = {
        sign for sign in lines[0] if not (sign.isalnum() or (sign.isspace() and sign < "\x1c"))
    } - _NEVER - {" "}  # fmt: skip
    for sign in sorted(signs, key=lambda sign: -lines[0].count(sign)):
        if len({line.count(sign) for line in lines}) > 1:
            continue
        rows = [[cell.strip() for cell in line.split(sign)] for line in lines[1:]]
        images = sum(looks_like_image(row[0]) for row in rows)
        cells = [cell for row in rows for cell in row[1:]]
        if images in (0, len(rows)) and all(is_label(cell) and cell for cell in cells):
            return sign
    return ""
