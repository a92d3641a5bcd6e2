"""What stands between the cells of a text table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE = 200
"""Records looked at."""


def find_delimiter(text: str) -> str:
    r"""Return the delimiter of a text table, or "" where blanks separate its cells.

    The delimiter must occur in the first record, and is the one that cuts most of the first records into
    the same number of cells; of several, the one that makes the most cells. That tells the semicolons of
    `image;height` apart from the decimal commas of `a.jpg;0,67`, and commas from the `|` between tags.

    >>> find_delimiter("image;soft\na.jpg;0,67\n")
    ';'
    """
    best, delimiter = (0.0, 1), ""
    for candidate in DELIMITERS:
        try:
            reader = csv.reader(
                io.StringIO(text[:262144], newline=""), delimiter=candidate, skipinitialspace=True
            )
            widths = [len(record) for record in islice(reader, _SAMPLE) if any(record)]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        width, times = Counter(width for width in widths if width > 1).most_common(1)[0]
        best, delimiter = max((best, delimiter), ((times / len(widths), width), candidate))
    return delimiter
