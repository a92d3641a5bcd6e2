"""Labels with holes: read a labels file into names and a float32 matrix where -1 is "not known"."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ImagesError, LabelsError

MISSING = -1.0
"""The target of a cell whose label is not known, as Keras' and the seed's code have it."""

LABEL_FILES = ("labels.txt", "labels.csv")

_PRESENT, _ABSENT = ("1", "1.0"), ("0", "0.0")
_UNKNOWN = ("", "NA", "na", "nan", "NaN", "-1", "-1.0")
_TARGET_OF = {
    **dict.fromkeys(_PRESENT, 1.0),
    **dict.fromkeys(_ABSENT, 0.0),
    **dict.fromkeys(_UNKNOWN, MISSING),
}
_SET_OF = {
    "train": "train",
    **dict.fromkeys(("validation", "val", "valid"), "validation"),
    "test": "test",
}


@dataclass(frozen=True)
class LabelTable:
    """A labels file in memory.

    `targets` is `(N, L) float32` of 1 (present), 0 (absent) and `MISSING`; row `i` belongs to
    `images[i]`, column `j` to `attributes[j]`. `split[i]`, where the file brings a split column,
    is `train`, `validation` or `test`.
    """

    source: Path
    images: tuple[str, ...]
    attributes: tuple[str, ...]
    targets: np.ndarray
    split: tuple[str, ...] | None = None


@dataclass(frozen=True)
class _Row:
    """One row as it stands in the file: `place` is `line 7`, or `row 7` where there are no lines."""

    place: str
    image: str
    cells: Sequence[str]


def check_folder(data: Path) -> None:
    """Raise ImagesError unless `data` is a folder that holds something."""
    if not data.exists():
        raise ImagesError(f"There is no folder {data}: name the folder that holds the images.")
    if not data.is_dir():
        raise ImagesError(f"{data} is not a folder: name the folder that holds the images.")
    if next(data.iterdir(), None) is None:
        raise ImagesError(f"The folder {data} is empty: put the images in it, or name another folder.")


def find_labels(data: Path) -> Path:
    """Return `labels.txt`, else `labels.csv`, in the folder `data`, else beside it.

    Raises ImagesError for a folder that is not there or empty, LabelsError where no labels file is.
    """
    check_folder(data)
    for folder in (data, data.resolve().parent):
        for name in LABEL_FILES:
            if (folder / name).is_file():
                return folder / name
    raise LabelsError(
        f"There is no {' or '.join(LABEL_FILES)} in {data} or beside it: name the labels file with --labels."
    )


def resolve(data: Path, name: str) -> Path:
    """Return where the image `name` lies in the folder `data`, links followed; it need not exist.

    Raises LabelsError if that is outside the folder, be it by `..`, an absolute path or a link.
    """
    return Path(resolve_in(os.path.realpath(data), name))


def resolve_in(root: str, name: str) -> str:
    """Return the same as `resolve` for a folder whose own links are already followed."""
    try:
        path = os.path.realpath(os.path.join(root, name))
    except ValueError:  # a NUL byte
        raise LabelsError(f"The image {name!r} in the labels is no file name: mend that row.") from None
    if os.path.isabs(name) or not path.startswith(root.rstrip(os.sep) + os.sep):
        raise LabelsError(
            f"The image {name!r} in the labels lies outside the folder {root}: "
            "name images by paths inside that folder."
        )
    return path


def read_labels(path: Path) -> LabelTable:
    """Read a labels file: whitespace-separated without a header, or CSV, TSV, Parquet with one.

    The first column names the image, a column named `split` the set; every other one is an attribute
    of `1`, `0`, or `NA`, `nan`, `-1` or nothing where the label is not known. Without a header the
    attributes are `attr1` to `attrL`. Raises LabelsError, which names file, line and token.
    """
    if not path.is_file():
        raise LabelsError(f"There is no labels file {path}: check the path, or name another with --labels.")
    reader = {".csv": _read_csv, ".tsv": _read_csv, ".parquet": _read_parquet}.get(
        path.suffix.lower(), _read_whitespace
    )
    try:
        header, rows = reader(path)
    except UnicodeDecodeError:
        raise LabelsError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise LabelsError(f"{path} cannot be read ({error.strerror or error}): check the file.") from None
    if not rows:
        raise LabelsError(f"{path} holds no rows: give each image a row of labels.")
    return _table(path, header, rows)


def _read_whitespace(path: Path) -> tuple[list[str], list[_Row]]:
    rows = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if tokens := line.split():
                rows.append(_Row(f"line {number}", tokens[0], tokens[1:]))
    width = len(rows[0].cells) if rows else 0
    return [f"attr{number}" for number in range(1, width + 1)], rows


def _read_csv(path: Path) -> tuple[list[str], list[_Row]]:
    rows = []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        try:
            header = [cell.strip() for cell in next(reader, [])]
            for cells in reader:
                if cells:
                    tokens = [cell.strip() for cell in cells]
                    rows.append(_Row(f"line {reader.line_num}", tokens[0], tokens[1:]))
        except csv.Error as error:
            raise LabelsError(f"{path}, line {reader.line_num}: {error}; mend that line.") from None
    if any(name in _TARGET_OF and name for name in header[1:]):
        raise LabelsError(
            f"{path} has no header line (its first line holds labels): "
            "name the columns in the first line, or save it as whitespace-separated .txt."
        )
    return header[1:], rows


def _read_parquet(path: Path) -> tuple[list[str], list[_Row]]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path).read()
    except pyarrow.ArrowException as error:
        raise LabelsError(f"{path} cannot be read as Parquet ({error}): write it anew.") from None
    columns = [[_as_token(value) for value in column.to_pylist()] for column in table.columns]
    rows = [
        _Row(f"row {number}", cells[0], cells[1:])
        for number, cells in enumerate(zip(*columns, strict=True), start=1)
    ]
    return table.column_names[1:], rows


def _as_token(value: object) -> str:
    """Return the token a CSV file would have for a Parquet value."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value).strip()


def _table(path: Path, header: list[str], rows: list[_Row]) -> LabelTable:
    _check_shape(path, header, rows)
    at = header.index("split") if "split" in header else None
    attributes = [name for column, name in enumerate(header) if column != at]
    _check_attributes(path, attributes)
    targets = np.array(list(_targets(path, rows, at)), dtype=np.float32).reshape(len(rows), len(attributes))
    if not (targets != MISSING).any():
        raise LabelsError(f"{path} holds no known label, all of them are NA: label some images with 1 or 0.")
    return LabelTable(
        source=path,
        images=tuple(row.image for row in rows),
        attributes=tuple(attributes),
        targets=targets,
        split=None if at is None else tuple(_sets(path, rows, at)),
    )


def _check_shape(path: Path, header: list[str], rows: list[_Row]) -> None:
    for row in rows:
        if not row.image:
            raise LabelsError(f"{path}, {row.place}: the image's name is empty; name it or drop the row.")
        if len(row.cells) != len(header):
            raise LabelsError(
                f"{path}, {row.place}: {len(row.cells)} values follow the image {row.image!r} where "
                f"{len(header)} are expected; give every row the same number of values."
            )


def _check_attributes(path: Path, attributes: list[str]) -> None:
    if not attributes:
        raise LabelsError(f"{path} holds no attribute: put at least one column of labels after the image.")
    if "" in attributes:
        raise LabelsError(f"{path}: column {attributes.index('') + 2} has no name; name every column.")
    twice = [name for name, times in Counter(attributes).items() if times > 1]
    if twice:
        raise LabelsError(f"{path}: two columns are named {twice[0]!r}; give every column its own name.")


def _targets(path: Path, rows: Iterable[_Row], at: int | None) -> Iterator[list[float]]:
    for row in rows:
        cells = [cell for column, cell in enumerate(row.cells) if column != at]
        try:
            yield [_TARGET_OF[cell] for cell in cells]
        except KeyError as error:
            raise LabelsError(
                f"{path}, {row.place}: {error.args[0]!r} is not a label; "
                "write 1, 0, or NA where it is not known."
            ) from None


def _sets(path: Path, rows: Iterable[_Row], at: int) -> Iterator[str]:
    for row in rows:
        token = row.cells[at]
        if token.lower() not in _SET_OF:
            raise LabelsError(
                f"{path}, {row.place}: {token!r} is not a set; "
                "write train, validation or test in the split column."
            )
        yield _SET_OF[token.lower()]
