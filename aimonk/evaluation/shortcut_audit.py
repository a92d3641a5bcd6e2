"""The search for shortcuts in a data set, within bounds of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..data.dataset import Dataset
from ..data.file_traits import file_traits
from .evidence import Evidence
from .shortcuts import Shortcut, find_shortcuts

MOST_IMAGES = 5_000
"""Of larger data sets so many images are drawn: their files are read once more (about 1 ms each)."""


def audit_shortcuts(
    dataset: Dataset,
    evidence: Evidence,
    alpha: float,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Shortcut, ...]:
    """Name what predicts an attribute of a data set without being in the picture.

    Args:
        dataset: its files and labels.
        evidence: what a model can do with the pictures, for the same attributes.
        alpha: family-wise error rate.
        seed: of the folds, and of the images drawn.
        progress: called with (files read, files).
    """
    rows = np.arange(len(dataset))
    if len(rows) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), MOST_IMAGES, replace=False))
    traits = file_traits([dataset.names[row] for row in rows], [dataset.paths[row] for row in rows], progress)
    columns = traits.columns
    if dataset.labels.is_dir():  # the folders are the labels
        columns = {name: values for name, values in columns.items() if name != "folder"}
    return find_shortcuts(
        columns,
        dataset.targets[rows],
        dataset.groups[rows],
        dataset.attributes,
        np.array([found.auc.value for found in evidence.attributes]),
        alpha=alpha,
        seed=seed,
    )
