"""The canonical labels file: CSV with the image first, then an attribute a column of 1, 0 and NA."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ...atomic_files import write_whole
from ...errors import FeatureStoreError, LabelsError
from .label_table import LabelTable

_TOKEN = {1.0: "1", 0.0: "0", -1.0: "NA"}


def write_labels(table: LabelTable, path: Path) -> None:
    """Write a table so that `read_labels` reads the same attributes, targets and sets without settings.

    Groups stand in a column `group`, which `labels.group=group` names; sets in a column `split`. Where an
    attribute has that name already, the column is called `group_` or `split_`.

    Raises:
        LabelsError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    extra = [
        (_free(name, table.attributes), values)
        for name, values in (("group", table.groups), ("split", table.split))
        if values is not None
    ]
    image = _free("image", table.attributes)
    writer.writerow([image, *table.attributes, *(name for name, _ in extra)])
    for row, (name, targets) in enumerate(zip(table.images, table.targets.tolist(), strict=True)):
        writer.writerow(
            [name, *(_TOKEN[target] for target in targets), *(values[row] for _, values in extra)]
        )
    try:
        write_whole(path, text.getvalue().encode())
    except FeatureStoreError as error:
        why = getattr(error.__cause__, "strerror", None) or error
        raise LabelsError(f"Cannot write the labels to {path} ({why}): name another file.") from None


def _free(name: str, taken: tuple[str, ...]) -> str:
    while name in taken:
        name += "_"
    return name
