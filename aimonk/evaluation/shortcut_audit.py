"""The search for shortcuts in a data set, within bounds of time."""

from __future__ import annotations

import numpy as np

from ..data.dataset import Dataset
from .evidence import Evidence
from .shortcuts import Shortcut, find_shortcuts

MOST_IMAGES = 5_000
"""Of larger data sets so many images are drawn: enough to tell an AUC of 0.6 from chance."""


def audit_shortcuts(dataset: Dataset, evidence: Evidence, alpha: float, seed: int) -> tuple[Shortcut, ...]:
    """Name what predicts an attribute of a data set without being in the picture.

    Args:
        dataset: its files and labels.
        evidence: what a model can do with the pictures, for the same attributes.
        alpha: family-wise error rate.
        seed: of the folds, and of the images drawn.
    """
    rows = np.arange(len(dataset))
    if len(rows) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), MOST_IMAGES, replace=False))
    columns = dataset.traits.columns(rows)
    if dataset.labels.is_dir() and dataset.labels.samefile(dataset.folder):  # its folders are the labels
        columns.pop("folder", None)
    return find_shortcuts(
        columns,
        dataset.targets[rows],
        dataset.groups[rows],
        dataset.attributes,
        np.array([found.auc.value for found in evidence.attributes]),
        alpha=alpha,
        seed=seed,
    )
