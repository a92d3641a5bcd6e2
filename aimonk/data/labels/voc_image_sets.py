"""PASCAL VOC's image sets: a folder `Main` with a file for each class and set, such as `cat_train.txt`."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import LabelsError
from .raw_table import Column, RawTable
from .text_encoding import read_text

_FILE = re.compile(r"(.+)_(train|val|trainval|test)\.txt")


def find_image_sets(folder: Path) -> Path | None:
    """Return the folder of image sets at or below a folder of VOC's layout, if there is one."""
    for place in (folder, folder / "Main", folder / "ImageSets" / "Main"):
        if place.is_dir() and place.name == "Main" and any(_FILE.fullmatch(p.name) for p in place.iterdir()):
            return place
    return None


def is_image_set(path: Path) -> bool:
    """Return whether a file is the image set of one class, in a folder `Main`."""
    return path.parent.name == "Main" and _FILE.fullmatch(path.name) is not None


def read_image_sets(folder: Path, only: str = "") -> RawTable:
    """Return one row for each image, with a column for each class and one for the set.

    In VOC's files 1 means present and -1 absent; 0 marks objects that are difficult to recognize, which
    counts as unknown. `trainval` only repeats the images of `train` and `val`. Everingham et al., "The PASCAL
    Visual Object Classes (VOC) Challenge", IJCV 2010; its development kit, section 5.1.

    Args:
        folder: The folder `Main`.
        only: The one file to read; empty for all.

    Raises:
        LabelsError: A line is not an image and a label.
    """
    labels: dict[str, dict[str, str]] = {}
    set_of: dict[str, str] = {}
    classes = []
    for file in sorted(folder.iterdir()):
        if not (match := _FILE.fullmatch(file.name)) or (only and file.name != only):
            continue
        name, part = match.groups()
        classes.append(name)
        for number, line in enumerate(read_text(file)[0].splitlines(), start=1):
            if not (tokens := line.split()):
                continue
            if len(tokens) != 2:
                raise LabelsError(f"{file}, line {number} is not an image and a label: correct the line.")
            labels.setdefault(tokens[0], {})[name] = tokens[1]
            if part != "trainval":
                set_of[tokens[0]] = part
    names = list(dict.fromkeys(classes))
    columns = [Column.of("image", labels)]
    columns += [Column.of(name, (found.get(name, "NA") for found in labels.values())) for name in names]
    preset: dict[str, object] = {"image": "image", "absent": ("-1",), "unknown": ("0",)}
    if set_of.keys() == labels.keys() and "split" not in names:
        columns.append(Column.of("split", (set_of[image] for image in labels)))
        preset["split"] = "split"
    return RawTable(folder / only, "VOC image sets", tuple(columns), preset=preset)
