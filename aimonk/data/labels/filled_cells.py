"""Labels that a model filled in: a table beside the labels file, so that they never pass for a person's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np

from ...errors import LabelsError
from .label_table import MISSING, LabelTable


@dataclass(frozen=True)
class FilledCell:
    """One label that was missing and that a model filled in.

    Attributes:
        image: As the labels file spells it.
        attribute: Name.
        value: 1 for present, 0 for absent.
        probability: That the attribute is present, calibrated.
        threshold: The probability from which on (for absent: up to which) cells were filled.
        model: URI of the model's version.
        source: `out-of-fold` where a model scored it that saw neither the image nor a copy of it in training,
            `model` where the shipped model scored an image that is new to it.
    """

    image: str
    attribute: str
    value: int
    probability: float
    threshold: float
    model: str
    source: str


_COLUMNS = tuple(field.name for field in fields(FilledCell))


def companion(labels: Path) -> Path:
    """Return where the filled cells of a labels file are listed.

    >>> companion(Path("photos/labels.csv")).name
    'labels.csv.filled.csv'
    """
    return labels.with_name(f"{labels.name}.filled.csv")


def filled_csv(cells: Iterable[FilledCell]) -> bytes:
    """Return the text of a companion file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(astuple(cell) for cell in cells)
    return text.getvalue().encode()


def read_filled(labels: Path) -> tuple[FilledCell, ...]:
    """Return the filled cells of a labels file; none where it has no companion.

    Raises:
        LabelsError: The companion is damaged.
    """
    path = companion(labels)
    if not path.is_file():
        return ()
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return tuple(_cell(row) for row in csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        raise LabelsError(
            f"{path} should list the labels that a model filled into {labels.name}, but it cannot be read "
            f"({error}); restore it, or fill the labels again."
        ) from None


def set_filled_apart(table: LabelTable) -> LabelTable:
    """Return the table with filled cells missing in `targets`, and their values in `filled`.

    A cell counts as filled as long as it has the value that was filled in: what a person has changed since is
    the person's label.
    """
    cells = read_filled(table.source)
    if not cells:
        return table
    row_of = {image: row for row, image in enumerate(table.images)}
    column_of = {name: column for column, name in enumerate(table.attributes)}
    targets, filled = table.targets.copy(), np.full_like(table.targets, MISSING)
    count = 0
    for cell in cells:
        row, column = row_of.get(cell.image), column_of.get(cell.attribute)
        if row is not None and column is not None and table.targets[row, column] == cell.value:
            targets[row, column], filled[row, column] = MISSING, cell.value
            count += 1
    note = (
        f"{count} labels were filled in by a model ({companion(table.source).name}); every figure takes them "
        "as not known."
    )
    read_as = replace(table.read_as, notes=(*table.read_as.notes, note))
    return replace(table, targets=targets, filled=filled, read_as=read_as)


def _cell(row: dict[str, str]) -> FilledCell:
    value = int(row["value"])
    if value not in (0, 1):
        raise ValueError(f"the value {value} is neither 1 nor 0")
    return FilledCell(
        row["image"],
        row["attribute"],
        value,
        float(row["probability"]),
        float(row["threshold"]),
        row["model"],
        row["source"],
    )
