"""Cells to label next, from a table."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import numpy as np

from ..data.dataset import Dataset
from ..data.labels import MISSING
from ..errors import LabelsError

_log = logging.getLogger("aimonk.reviewing")


def read_suggestions(path: Path, dataset: Dataset) -> list[tuple[str, str]]:
    """Return (image, attribute) of the suggested cells whose label is missing, in the order of the file.

    The file is CSV with a column `image` and, if cells are suggested, a column `attribute`. Without that
    column, or where it is empty, all missing labels of the image are meant.

    Raises:
        LabelsError: the file cannot be read, or has no column `image`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LabelsError(
            f"Cannot read the suggestions in {path} ({reason}); give a CSV file in UTF-8."
        ) from None
    if rows and "image" not in rows[0]:
        raise LabelsError(f"The suggestions in {path} have no column image; add one that names the images.")
    number = {name: row for row, name in enumerate(dataset.names)}
    missing = dataset.targets == MISSING
    found: dict[tuple[str, str], None] = {}
    unknown = 0
    for row in rows:
        image, wanted = row["image"], row.get("attribute") or ""
        columns = [dataset.attributes.index(wanted)] if wanted in dataset.attributes else []
        if image not in number or (wanted and not columns):
            unknown += 1
            continue
        for column in columns or np.flatnonzero(missing[number[image]]).tolist():
            if missing[number[image], column]:
                found[image, dataset.attributes[column]] = None
    if unknown:
        _log.warning(
            "%d of %d suggestions in %s name an image or attribute that the labels do not have",
            unknown,
            len(rows),
            path,
        )
    return list(found)
