"""`aimonk fill`: complete a labels table where held-out evidence vouches for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..config_file import load_config
from ..data.dataset import Dataset
from ..data.labels import MISSING
from ..data.labels.filled_cells import FilledCell, companion
from ..data.open_cells import OpenCells
from ..errors import ConfigError, LabelsError
from ..evaluation.missing_cells import ImageScores, fill_missing, vouch_for_table
from ..evaluation.vouching import Promise, Vouched
from ..progress import recorded, stage
from ..publishing.publish_fill import publish_fill
from ..results.fill_result import FillResult
from ..serving.scored_model import ScoredModel
from .read_data import read_data


def fill(
    model: str,
    data: str | Path,
    labels: str | Path | None = None,
    *,
    out: str | Path,
    precision: float = 0.95,
    miss: float = 0.05,
    confidence: float = 0.95,
    settings: Iterable[str] = (),
    announce: Callable[[FillResult], None] | None = None,
) -> FillResult:
    """Fill the missing labels that held-out evidence vouches for; all others stay missing.

    An attribute is filled only if the model's verdict for it is `learned`, and within it only the cells
    beyond two thresholds: see `aimonk.evaluation.vouching` for what is promised, and how. `OUT.filled.csv`
    lists the filled cells. With it the fill can be undone, and by it every command knows that these labels
    are not a person's.

    >>> aimonk.fill("models:/dresses@champion", "photos", out="filled.csv").table  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `runs:/ID/model`; its run brings the evidence.
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        out: file to write, in the format of `labels` if that is CSV, text or Parquet, else as CSV.
        precision: share of the cells filled with either value that must be right.
        miss: largest share of the true positives that may be filled as absent, and of the true negatives that
            may be filled as present.
        confidence: with which each attribute keeps all of that.
        settings: `section.key=value` for any setting.
        announce: called with the coverage of each attribute before anything is written.

    Raises:
        ConfigError: a share does not lie between 0 and 1.
        LabelsError: the labels are absent or not valid, no image has held-out scores, or `out` cannot be
            written.
        ModelError: there is no such model, or it does not say which run trained it.
        TrackingError: the store cannot be used.
    """
    promise, config = _promise(precision, miss, confidence), load_config(None, settings)
    with recorded() as record:
        with stage("model", "Model"):
            scored = ScoredModel.open(model)
        dataset = read_data(data, labels, config, keep_unlearnable=True)
        cells = OpenCells.of(dataset, config.labels)
        names = scored.held_out.attributes
        targets, missing = _targets(dataset, names), cells.of_attributes(names)
        with stage("vouch", "Choosing thresholds"):
            _check_held_out(dataset, scored)
            vouched = vouch_for_table(
                scored.held_out,
                dataset.digests,
                targets,
                dataset.groups,
                scored.learned,
                promise,
                config.split.seed,
            )
        with stage("score", "Scoring"):
            fills = np.array([found.fills for found in vouched])
            wanted = np.asarray(missing[:, fills].any(axis=1))
            scores = scored.scores(dataset.digests, dataset.paths, wanted, config.features)
        values, vouched = fill_missing(missing, scores.probabilities, vouched, promise)
        found = FillResult(
            model_uri=scored.uri,
            training_run=scored.run_id,
            promise=promise,
            attributes=vouched,
            missing=dict(zip(names, missing.sum(axis=0).tolist(), strict=True)),
            cells=_filled_cells(values, scores, vouched, cells, scored.uri),
            out=Path(out),
            companion=companion(Path(out)),
        )
        if announce:
            announce(found)
        with stage("write", "Writing"):
            found = publish_fill(found, dataset, _changes(found, cells), config)
    return replace(found, warnings=tuple(record.warnings))


def _promise(precision: float, miss: float, confidence: float) -> Promise:
    try:
        return Promise(precision, miss, confidence)
    except ValueError as error:
        raise ConfigError(f"A fill cannot keep such a promise: {error}.") from None


def _targets(dataset: Dataset, names: tuple[str, ...]) -> np.ndarray:
    """`(M, L)`: the labels of the model's attributes.

    Raises:
        LabelsError: the table has none of them.
    """
    if not set(names) & set(dataset.attributes):
        raise LabelsError(
            f"The labels {dataset.labels} have none of the model's attributes, such as {names[0]!r}; give "
            "the labels that it was trained on."
        )
    targets = np.full((len(dataset), len(names)), MISSING, np.float32)
    for place, name in enumerate(names):
        if name in dataset.attributes:
            targets[:, place] = dataset.targets[:, dataset.attributes.index(name)]
    return targets


def _check_held_out(dataset: Dataset, scored: ScoredModel) -> None:
    if not len(scored.held_out.rows_of(dataset.digests)[0]):
        raise LabelsError(
            f"None of the images in {dataset.folder} was held out when {scored.uri} was trained, so nothing "
            "can vouch for a label; give the images that it was trained on, with the new ones among them."
        )


def _filled_cells(
    values: np.ndarray, scores: ImageScores, vouched: tuple[Vouched, ...], cells: OpenCells, model: str
) -> tuple[FilledCell, ...]:
    """List what is filled, under every name by which the labels call an image."""
    return tuple(
        FilledCell(
            image=name,
            attribute=vouched[column].name,
            value=int(values[row, column]),
            probability=float(scores.probabilities[row, column]),
            threshold=vouched[column].present if values[row, column] else vouched[column].absent,
            model=model,
            source=scores.sources[row],
        )
        for row, column in np.argwhere(values != MISSING).tolist()
        for name in cells.names[row]
    )


def _changes(found: FillResult, cells: OpenCells) -> dict[tuple[str, str], float]:
    """Return the cells that change: those of an earlier fill are missing again unless this one fills them."""
    before = dict.fromkeys(cells.filled_before, MISSING)
    return before | {(cell.image, cell.attribute): float(cell.value) for cell in found.cells}
