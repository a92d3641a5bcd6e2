"""Text whose cells are separated by blanks: an image's name, then its labels. CelebA and DeepFashion too."""

from __future__ import annotations

from pathlib import Path

from ...errors import LabelsError
from .image_names import looks_like_image, rank, split_after_image
from .raw_table import RawTable, from_rows
from .tokens import is_label


def read_whitespace(path: Path, lines: list[tuple[int, str]], encoding: str) -> RawTable:
    """Return the table of numbered lines, blank lines left out.

    The labels are the last L cells, so that a name may hold blanks. L is what follows the image's suffix,
    else all but the first cell. A header may name the image or not; CelebA's does not. Without a header, or
    with DeepFashion's, which has one name for all labels, the attributes are attr1 to attrL.

    Raises:
        LabelsError: A line has more or fewer labels than the others.
    """
    lines = _without_numbers(lines)
    header = lines[0][1].split() if lines and _is_header(lines) else []
    rows = lines[1:] if header else lines
    width = _width(rows)
    names = [f"attr{number}" for number in range(1, width + 1)]
    notes: tuple[str, ...] = ()
    if len(header) in (width, width + 1) and width:
        names = header[-width:]
    elif header and len(header) != 2:
        raise LabelsError(
            f"{path}, line {lines[0][0]}: the header has {len(header)} names for {width} labels in a line; "
            "name each label once, without blanks in its name."
        )
    elif width:
        notes = (f"The file does not name its attributes; they are called attr1 to attr{width}.",)
    image = header[0] if header and len(header) != width else ""
    columns = from_rows(
        path,
        [image, *names],
        [_cells(line, width) for _, line in rows],
        [f"line {number}" for number, _ in rows],
    )
    form = "text separated by blanks"
    return RawTable(path, form, columns, encoding, notes=notes, place=lambda row: f"line {rows[row][0]}")


def _without_numbers(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the lines without what only counts them, where an image's name follows."""
    parts = [line.split(None, 1) for _, line in lines]
    first = parts[0][0] if parts else ""
    if first not in ("0", "1") or not all(
        len(two) == 2 and two[0] == str(at) and split_after_image(two[1]) is not None
        for at, two in enumerate(parts, start=int(first))
    ):
        return lines
    return [(number, two[1]) for (number, _), two in zip(lines, parts, strict=True)]


def _is_header(lines: list[tuple[int, str]]) -> bool:
    first = lines[0][1]
    if split_after_image(first) is not None or len(lines) < 2 or _is_row(first.split()):
        return False
    if split_after_image(lines[1][1]) is not None:
        return True
    return not any(map(is_label, first.split())) and any(map(is_label, lines[1][1].split()[1:]))


def _is_row(cells: list[str]) -> bool:
    """Whether labels follow something that is not the usual name of an image column."""
    return len(cells) > 1 and rank(cells[0]) is None and all(map(is_label, cells[1:]))


def _width(rows: list[tuple[int, str]]) -> int:
    """Return how many labels follow the image in the first line."""
    if not rows:
        return 0
    parts = split_after_image(rows[0][1])
    if parts is not None:
        return len(parts[1].split())
    return len(rows[0][1].split()) - 1


def _cells(line: str, width: int) -> list[str]:
    parts = split_after_image(line)
    if parts is not None and looks_like_image(parts[0]):
        return [_unquoted(parts[0]), *parts[1].split()]
    cells = line.rsplit(None, width) if width else [line]
    return [_unquoted(cells[0]), *cells[1:]]


def _unquoted(name: str) -> str:
    """Return a name without the quotes around it; a quote at one end only belongs to the name."""
    quoted = len(name) > 2 and name[0] == name[-1] and name[0] in "\"'"
    return name[1:-1] if quoted else name
