"""Which reader reads a labels file: decided by what the file holds, not by how it is called."""

from __future__ import annotations

import csv
import json
import re
from functools import partial
from itertools import chain, islice
from pathlib import Path

from ...errors import LabelsError
from .class_folders import find_class_folders, read_class_folders
from .coco import is_coco, is_coco_results, read_coco
from .delimited_text import read_delimited
from .delimiter import find_delimiter
from .folder_column import with_folders
from .foreign_files import refuse_foreign
from .json_records import parse_lines, read_records
from .json_shapes import as_records
from .label_studio import as_label_studio, is_label_studio, read_label_studio
from .names_beside import with_names_beside
from .parquet_file import read_parquet
from .prodigy import as_prodigy
from .raw_table import RawTable
from .split_folders import find_split_folders, read_split_folders
from .spreadsheet import read_spreadsheet
from .text_encoding import read_text
from .voc_image_sets import find_image_sets, is_image_set, read_image_sets
from .whitespace_text import read_whitespace

_LOOKED_AT = 20
"""Lines that tell whether all are quoted whole."""

IN_FOLDER = (
    "_classes.csv", "metadata.csv", "metadata.jsonl", "metadata.parquet", "_annotations.coco.json",
    "labels.txt", "labels.csv",
)  # fmt: skip
"""Labels files that a folder of images may hold; in every set's folder, where there are sets."""


def read_raw(path: Path, encoding: str = "") -> RawTable:
    """Return the table of a labels file or folder, before anything is understood of it.

    Args:
        path: The file or folder.
        encoding: Of a text that does not say it; found if it is empty.

    Raises:
        LabelsError: There is no such file, or nothing that any of the readers reads.
    """
    try:
        return with_folders(_read_folder(path, encoding) if path.is_dir() else _read_file(path, encoding))
    except FileNotFoundError:
        raise LabelsError(
            f"There is no labels file {path}: check the path, or name another with --labels."
        ) from None
    except OSError as error:
        raise LabelsError(f"{path} cannot be read ({error.strerror or error}): check the file.") from None


def is_labels_folder(folder: Path) -> bool:
    """Return whether a folder as a whole says what its images show."""
    return bool(
        find_split_folders(folder, IN_FOLDER) or find_image_sets(folder) or find_class_folders(folder)
    )


def _read_folder(folder: Path, encoding: str) -> RawTable:
    if files := find_split_folders(folder, IN_FOLDER):
        return read_split_folders(folder, files, partial(_read_file, given=encoding))
    if (sets := find_image_sets(folder)) is not None:
        return read_image_sets(sets)
    for name in IN_FOLDER:
        if (folder / name).is_file():
            return _read_file(folder / name, encoding)
    if find_class_folders(folder):
        return read_class_folders(folder)
    raise LabelsError(
        f"The folder {folder} holds no labels that are known: name the labels file with --labels."
    )


def _read_file(path: Path, given: str) -> RawTable:
    if is_image_set(path):
        return read_image_sets(path.parent, path.name)
    with path.open("rb") as file:
        start = file.read(16)
    refuse_foreign(path, start)
    if start.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return read_parquet(path)
    if start.startswith(b"PK\x03\x04"):
        return read_spreadsheet(path)
    text, encoding = read_text(path, given)
    if text.lstrip()[:1] in ("{", "["):
        return _read_json(path, text, encoding)
    return with_names_beside(_read_table(path, text, encoding))


def _read_json(path: Path, text: str, encoding: str) -> RawTable:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise LabelsError(f"{path}, line {error.lineno} is not JSON ({error.msg}): correct it.") from None
        return as_prodigy(read_records(path, parse_lines(path, text), encoding, "JSON lines"))
    except RecursionError:
        raise LabelsError(
            f"{path} nests lists or objects too deeply: give a list with one object for each image."
        ) from None
    if is_coco(value):
        return read_coco(path, value, encoding)
    if is_coco_results(value):
        raise LabelsError(
            f"{path} holds what a detector found, with numbers for images and categories: name the file of "
            "annotations, which has their names."
        )
    if is_label_studio(value):
        return read_label_studio(path, value, encoding)
    records = as_records(path, value)
    form = "JSON lines" if records == [value] else "JSON"
    return as_prodigy(as_label_studio(read_records(path, records, encoding, form)))


def _read_table(path: Path, text: str, encoding: str) -> RawTable:
    text = _without_outer_quotes(text)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        return _delimited(path, rest, encoding, first.strip()[-1])
    if delimiter := find_delimiter(text):
        return _delimited(path, text, encoding, delimiter)
    numbered = enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    lines = [(at, line) for at, line in numbered if line.strip()]
    counted = bool(lines) and lines[0][1].strip().isdigit() and len(lines) > 1
    if counted and (delimiter := find_delimiter(rest)):
        return _delimited(path, rest, encoding, delimiter)
    if not lines:
        raise LabelsError(f"{path} holds no rows: give each image a row of labels.")
    return read_whitespace(path, lines[1:] if counted else lines, encoding)


def _without_outer_quotes(text: str) -> str:
    """Return the text of a table of which every line is one quoted cell, as careless exports write it."""
    first = text[:65536].splitlines()[:_LOOKED_AT]
    if not all(line[:1] == line[-1:] == '"' for line in first if line):
        return text
    records = list(islice(csv.reader(first), _LOOKED_AT))
    if any(len(record) > 1 for record in records) or not all(map(find_delimiter, chain(*records))):
        return text
    return "\n".join(cell for record in csv.reader(text.splitlines()) for cell in record or [""])


def _delimited(path: Path, text: str, encoding: str, delimiter: str) -> RawTable:
    return as_prodigy(as_label_studio(read_delimited(path, text, encoding, delimiter)))
