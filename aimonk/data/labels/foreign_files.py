"""Files that hold no table, by how they begin or are called."""

from __future__ import annotations

from pathlib import Path

from ...errors import LabelsError

_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel 97", "save it as .xlsx or CSV"),
    (b"\x1f\x8b", "compressed", "unpack it first"),
    (b"BZh", "compressed", "unpack it first"),
    (b"\xfd7zXZ", "compressed", "unpack it first"),
    (b"(\xb5/\xfd", "compressed", "unpack it first"),
    (b"7z\xbc\xaf", "an archive", "unpack it first"),
    (b"Rar!", "an archive", "unpack it first"),
    (b"\x80\x04\x95", "a Python pickle, which may run code", "save it as CSV or Parquet"),
    (b"\x80\x05\x95", "a Python pickle, which may run code", "save it as CSV or Parquet"),
    (b"SQLite format 3", "a database of SQLite", "export the table as CSV"),
    (b"ARROW1", "a Feather file", "save it as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array", "save it as CSV, with a header"),
    (b"\x89HDF", "an HDF5 file", "save it as Parquet or CSV"),
    (b"%PDF", "a PDF", "save its table as CSV"),
    (b"{\\rtf", "a document", "save its table as CSV"),
    (b"\x89PNG", "an image", "name the table of labels"),
    (b"\xff\xd8\xff", "an image", "name the table of labels"),
    (b"<", "XML or HTML", "export the labels as CSV or COCO"),
)
_SUFFIXES = {
    ".yaml": ("YAML", "save the labels as CSV or JSON"),
    ".yml": ("YAML", "save the labels as CSV or JSON"),
    ".md": ("a text with marks", "save its table as CSV"),
    ".arff": ("a file of Weka", "save it as CSV"),
}


def refuse_foreign(path: Path, start: bytes) -> None:
    """Raise LabelsError for a file of a kind that is not read, and say what to do with it.

    >>> refuse_foreign(Path("labels.csv"), b"image,re")
    """
    found = next(
        (tail for head, *tail in _BEGINNINGS if start.removeprefix(b"\xef\xbb\xbf").startswith(head)), None
    )
    what, remedy = found or _SUFFIXES.get(path.suffix.lower(), ("", ""))
    if what:
        raise LabelsError(f"{path} is {what}, which is not read as labels: {remedy}.")
