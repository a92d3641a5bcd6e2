"""Where a new model's evidence lies: a few pictures for MLflow, and attributes that are mostly background."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..data.dataset import Dataset
from ..errors import ImagesError, ModelError
from ..progress import LOGGER, ProgressCallback
from ..reporting import thumbnails
from ..reporting.overlays import overlay
from ..runtime.contributions import Contributions, Explainer
from ..runtime.evidence_location import Location, locate
from ..runtime.image_file import read_image_file

IMAGES = 40
"""Photos explained per training; about 1 s."""

PICTURES = 6

Cell = tuple[str, str]
"""Names of an image and of an attribute."""

FEWEST = 5
"""Photos of an attribute, below which nothing is said of where its evidence lies."""


@dataclass(frozen=True)
class EvidenceExamples:
    """Pictures by file name, and sentences on attributes whose evidence is mostly background."""

    pictures: dict[str, bytes]
    background: tuple[str, ...]
    overlays: dict[Cell, bytes] = field(default_factory=dict)
    """The pictures that the report's galleries asked for."""


def evidence_examples(
    package: Path,
    dataset: Dataset,
    learned: tuple[str, ...],
    cells: Iterable[Cell] = (),
    progress: ProgressCallback | None = None,
) -> EvidenceExamples:
    """Explain photos that are labeled to have one of the `learned` attributes, drawn at random.

    A model that cannot be explained has no examples, and that is logged.

    Args:
        package: the model.
        dataset: its photos.
        learned: attributes with evidence.
        cells: further pictures that are wanted, of images and attributes of the data set.
        progress: called with (pictures explained, pictures).
    """
    columns = [dataset.attributes.index(name) for name in learned]
    rows = np.flatnonzero((dataset.targets[:, columns] == 1).any(axis=1))
    rows = np.random.default_rng(0).permutation(rows)[:IMAGES]
    cells = tuple(cells)
    if not rows.size and not cells:  # opening a large model takes a second
        return EvidenceExamples({}, ())
    pictures: dict[str, bytes] = {}
    found: dict[int, list[Location]] = {column: [] for column in columns}
    try:
        explainer = Explainer(package)
    except ModelError as error:
        LOGGER.warning("%s", error)
        return EvidenceExamples({}, ())
    for done, row in enumerate(rows):
        if progress:
            progress(done, len(rows) + len(cells))
        try:
            content, _ = read_image_file(dataset.paths[row])
            explained = explainer.explain(content)
        except ImagesError:  # it could be read a moment ago
            continue
        present = [column for column in columns if dataset.targets[row, column] == 1]
        for column in present:
            found[column].append(locate(explained.places[column]))
        if len(pictures) < PICTURES:
            column = strongest(explained, present)
            plain = re.sub(r"[^\w.-]+", "_", dataset.attributes[column])[:60]
            pictures[f"{len(pictures) + 1}-{plain}.png"] = overlay(content, explained.places[column])
    if progress:
        progress(len(rows), len(rows) + len(cells))
    overlays = _overlays(explainer, dataset, cells)
    said = (_background(dataset.attributes[column], where) for column, where in found.items())
    return EvidenceExamples(pictures, tuple(filter(None, said)), overlays)


def _overlays(explainer: Explainer, dataset: Dataset, cells: Iterable[Cell]) -> dict[Cell, bytes]:
    paths = dict(zip(dataset.names, dataset.paths, strict=True))
    drawn: dict[Cell, bytes] = {}
    for image, attribute in cells:
        try:
            content, _ = read_image_file(paths[image])
            places = explainer.explain(content).places[dataset.attributes.index(attribute)]
            drawn[image, attribute] = overlay(content, places, thumbnails.BOX)
        except ImagesError:
            continue
    return drawn


def strongest(explained: Contributions, columns: list[int]) -> int:
    """The attribute, of several, for which the image says most."""
    return max(columns, key=lambda column: float(explained.logits[column] - explained.baseline[column]))


def _background(attribute: str, locations: list[Location]) -> str:
    """What to say of one attribute, by the mean over its photos; empty where there is nothing to say."""
    if len(locations) < FEWEST:
        return ""
    mean = Location(*np.mean([(where.border, where.outside_middle) for where in locations], axis=0))
    if mean.border <= 0.5:  # sleeves and hems lie outside the middle for good reason
        return ""
    return f"{attribute!r}: on average over {len(locations)} photos, {mean.sentence}."
