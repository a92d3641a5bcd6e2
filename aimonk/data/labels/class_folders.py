"""Class folders: what an image shows is the name of the folder it lies in."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..list_images import list_images
from .column_names import holds_groups
from .raw_table import Column, RawTable
from .sets import set_named

_DATE = re.compile(r"(19|20)\d\d([-_. ]?\d\d){0,2}")


def find_class_folders(folder: Path) -> bool:
    """Return whether images lie in at least two folders of classes, and none beside those folders.

    Folders that are called like sets, like dates or like numbered groups (`patient0012`) are no classes.
    """
    rows = _parts(folder)
    classes = {parts[-2] for parts in rows if len(parts) > 1}
    return (
        len(classes) > 1
        and all(len(_without_set(parts)) == 2 for parts in rows)
        and not all(name.isalpha() and set_named(name) for name in classes)
        and not all(map(_DATE.fullmatch, classes))
        and not all(map(_numbered_group, classes))
    )


def read_class_folders(folder: Path) -> RawTable:
    """Return one row for each image, labeled by its folder.

    The rule: each folder is one attribute, present for the images in it and absent for all others. With
    `labels.separator`, the name of a folder holds several tags: `red_dress` with "_" is red and a dress.
    Folders of sets (train, valid, test) may stand above those of classes.
    """
    rows = _parts(folder)
    tags = [parts[-2] for parts in rows]
    columns = [Column.of("image", ("/".join(parts) for parts in rows)), Column.of("folder", tags)]
    preset: dict[str, object] = {"image": "image", "tags": ("folder",)}
    if all(len(parts) == 3 for parts in rows):
        columns.append(Column.of("split", (parts[0] for parts in rows)))
        preset["split"] = "split"
    note = (
        "Each folder is one attribute of the images in it; if folders are named by several tags, such as "
        "red_dress, set labels.separator."
    )
    return RawTable(folder, "class folders", tuple(columns), preset=preset, notes=(note,))


def _numbered_group(name: str) -> bool:
    stem = name.rstrip("0123456789")
    return stem != name and holds_groups(stem.rstrip("_- "))


def _parts(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(name.split(os.sep)) for name in list_images(folder).names]


def _without_set(parts: tuple[str, ...]) -> tuple[str, ...]:
    return parts[1:] if len(parts) == 3 and set_named(parts[0]) else parts
