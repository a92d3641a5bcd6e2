"""A labels file in memory: names, and a float32 matrix in which -1 means "not known"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .read_as import ReadAs

MISSING = -1.0
"""The target of a cell whose label is not known."""


@dataclass(frozen=True)
class LabelTable:
    """The labels of N images and L attributes; every image occurs once.

    Attributes:
        source: The labels file or folder.
        images: The N image names, as the file spells them.
        attributes: The L attribute names.
        targets: `(N, L) float32` of 1 (present), 0 (absent) and `MISSING`.
        split: For each image `train`, `validation` or `test`, if the file has a split column.
        groups: For each image the value of the group column, if `labels.group` names one; images of one
            group are not independent. An empty value means that the image is a group of its own.
        read_as: How the file was understood.
        hints: Columns that look like groups, see `suggested_groups`: name and values, one for each image.
        filled: `(N, L) float32` like `targets`: labels that a model filled in, which are `MISSING` in
            `targets`; None where none was.
    """

    source: Path
    images: tuple[str, ...]
    attributes: tuple[str, ...]
    targets: np.ndarray
    split: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    read_as: ReadAs = ReadAs()
    hints: tuple[tuple[str, tuple[str, ...]], ...] = ()
    filled: np.ndarray | None = None
