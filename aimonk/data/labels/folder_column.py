"""Tables that keep the folder of an image in one column and the file's name in another."""

from __future__ import annotations

import re
from dataclasses import replace

from .image_names import looks_like_image
from .raw_table import Column, RawTable

_FOLDER, _FILE = "relativepath", "file"
"""Columns of Timelapse, in which people label the photos of camera traps."""

_NAMES = re.compile(r"(sub|image|img|relative|root)?[\s_-]?(folder|dir|directory|path)s?([\s_-]?name)?", re.I)


def is_folder_name(column: str) -> bool:
    """Return whether a column's name suggests that its cells are folders.

    >>> is_folder_name("Subfolder"), is_folder_name("image_dir"), is_folder_name("belt")
    (True, True, False)
    """
    return _NAMES.fullmatch(column.strip()) is not None


def with_folders(table: RawTable) -> RawTable:
    """Return a table of Timelapse with the folder before each file's name; any other table as it is.

    Columns keep their places and names, so that labels can be written back.
    """
    folders, files = _named(table, _FOLDER), _named(table, _FILE)
    if folders is None or files is None or not any(map(looks_like_image, files.values)):
        return table
    if any(map(looks_like_image, folders.values)):
        return table  # these are whole paths
    pairs = zip(folders.cells(), files.cells(), strict=True)
    joined = Column.of(files.name, (_joined(folder, file) for folder, file in pairs))
    columns = tuple(joined if column is files else column for column in table.columns)
    note = f"The columns {folders.name!r} and {files.name!r} together name the images."
    return replace(table, columns=columns, notes=(*table.notes, note), joined=(folders.name,))


def _named(table: RawTable, name: str) -> Column | None:
    found = [column for column in table.columns if column.name.casefold() == name]
    return found[0] if len(found) == 1 else None


def _joined(folder: str, file: str) -> str:
    folder = folder.replace("\\", "/").rstrip("/")
    return f"{folder}/{file}" if folder and file else file
