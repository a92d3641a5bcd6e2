"""The cells of a labels table that are missing: no person labeled them, and no two rows dispute them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import LabelsConfig
from .dataset import Dataset
from .labels import MISSING, read_labels
from .labels.filled_cells import set_filled_apart
from .labels.rewrite_labels import contradicted
from .match_images import match_images


@dataclass(frozen=True)
class OpenCells:
    """The M images of a data set as its labels file has them.

    Attributes:
        names: For each image the names by which the labels file calls it, mostly one.
        attributes: L attributes of the data set.
        missing: `(M, L) bool`. Where rows of one image contradict each other, the label is not missing.
        filled_before: (name, attribute) of cells that an earlier fill has filled.
    """

    names: tuple[tuple[str, ...], ...]
    attributes: tuple[str, ...]
    missing: np.ndarray
    filled_before: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, dataset: Dataset, config: LabelsConfig) -> OpenCells:
        """Read the labels file of a data set again, for its own spelling.

        Raises:
            LabelsError: it has changed since, so that it cannot be read any more.
        """
        table = set_filled_apart(read_labels(dataset.labels, config))
        disputed = contradicted(dataset.labels, config)
        column_of = {name: column for column, name in enumerate(table.attributes)}
        columns = [column_of[name] for name in dataset.attributes]
        row_of = {name: row for row, name in enumerate(dataset.names)}
        names: list[list[str]] = [[] for _ in dataset.names]
        missing = np.ones((len(dataset), len(columns)), bool)
        for place, file in enumerate(match_images(dataset.folder, table.images).files):
            if (row := row_of.get(file)) is None:
                continue
            name = table.images[place]
            names[row].append(name)
            missing[row] &= table.targets[place, columns] == MISSING
            missing[row] &= [(name, attribute) not in disputed for attribute in dataset.attributes]
        before = np.argwhere(table.filled != MISSING).tolist() if table.filled is not None else []
        return cls(
            tuple(map(tuple, names)),
            dataset.attributes,
            missing,
            frozenset((table.images[row], table.attributes[column]) for row, column in before),
        )

    def of_attributes(self, attributes: Sequence[str]) -> np.ndarray:
        """`(M, len(attributes)) bool`: what is missing; nothing of an attribute that the table lacks."""
        column_of = {name: column for column, name in enumerate(self.attributes)}
        missing = np.zeros((len(self.names), len(attributes)), bool)
        for place, name in enumerate(attributes):
            if name in column_of:
                missing[:, place] = self.missing[:, column_of[name]]
        return missing
