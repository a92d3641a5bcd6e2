"""The images of a folder that lack labels, whether a labels file names them or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import Config
from ..errors import LabelsError
from ..progress import LOGGER, ProgressCallback
from .dataset import read_dataset
from .image_index import look_up
from .labels import MISSING, find_labels
from .list_images import image_names


@dataclass(frozen=True)
class FolderImages:
    """Readable images of a folder, each content once.

    Attributes:
        names: N paths relative to the folder; likewise `paths` and `digests` (hex SHA-256).
        targets: `(N, L) float32`, `MISSING` throughout for an image that no labels file names.
    """

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    digests: tuple[str, ...]
    targets: np.ndarray


def read_folder(
    folder: Path,
    labels: Path | None,
    attributes: Sequence[str],
    config: Config,
    cache: Path | None = None,
    progress: ProgressCallback | None = None,
) -> FolderImages:
    """Read every image of a folder, and the labels of those that have some.

    Args:
        folder: of images.
        labels: labels file; None takes the one that `find_labels` finds, and no labels where there is none.
        attributes: L names.
        config: how labels are read.
        cache: folder that remembers what images were.
        progress: called with (images done, images).

    Raises:
        ImagesError: there is no such folder, or no image in it.
        LabelsError: `labels` cannot be read.

    """
    known = _labels(folder, labels, attributes, config, cache)
    names = image_names(folder)
    rows: dict[str, tuple[str, Path]] = {}
    unreadable = 0
    for facts in look_up(folder, names, cache, progress, config.data.limits):
        if facts.sha256 is None or facts.problem is not None:
            unreadable += 1
        else:
            rows.setdefault(facts.sha256, (facts.name, facts.path))
    if unreadable:
        LOGGER.warning("%d images cannot be read and are left out", unreadable)
    nothing = np.full(len(attributes), MISSING, np.float32)
    return FolderImages(
        tuple(name for name, _ in rows.values()),
        tuple(path for _, path in rows.values()),
        tuple(rows),
        np.array([known.get(digest, nothing) for digest in rows], np.float32).reshape(len(rows), -1),
    )


def _labels(
    folder: Path, labels: Path | None, attributes: Sequence[str], config: Config, cache: Path | None
) -> dict[str, np.ndarray]:
    """Return the labels of each image by digest; of copies, a label that any of them has."""
    if labels is None:
        try:
            labels = find_labels(folder)
        except LabelsError:
            return {}
    data = read_dataset(folder, labels, config, cache, keep_unlearnable=True)
    columns = [data.attributes.index(name) if name in data.attributes else -1 for name in attributes]
    known: dict[str, np.ndarray] = {}
    for digest, row in zip(data.digests, data.targets, strict=True):
        found = np.array([row[column] if column >= 0 else MISSING for column in columns], np.float32)
        known[digest] = np.maximum(known.get(digest, found), found)
    return known
