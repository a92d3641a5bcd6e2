"""`aimonk suggest`: which images to label next."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..config import Config
from ..config_file import checked, load_config
from ..data.label_pool import FolderImages, read_folder
from ..data.labels import MISSING
from ..errors import ConfigError, ImagesError
from ..evaluation.suggestions import (
    DEFAULT,
    NEEDS_COMMITTEE,
    NEEDS_FEATURES,
    STRATEGIES,
    Pool,
    entropy,
    mean_entropy,
    suggest_rows,
)
from ..features.cache_key import image_index_folder
from ..features.embedding import embed
from ..progress import recorded, stage
from ..publishing.publish_suggestions import publish_suggestions
from ..results.suggestion_result import Suggestion, SuggestionResult
from ..serving.scored_model import ScoredModel
from ..tracking.recorded_request import recorded_config

LEAST_SURE = 3
"""Attributes named with each suggestion."""
WRITTEN = (".csv", ".json")
"""Suffixes of what can be written: a table, and tasks for Label Studio."""


def suggest(
    model: str,
    data: str | Path,
    labels: str | Path | None = None,
    *,
    n: int = 100,
    out: str | Path | None = None,
    strategy: str = DEFAULT,
    settings: Iterable[str] = (),
) -> SuggestionResult:
    """Choose the images whose labels would teach most: those without any label, or with missing ones.

    >>> aimonk.suggest("models:/dresses@champion", "photos", n=50).table  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `runs:/ID/model`.
        data: folder of images; the labels file need not name all of them.
        labels: labels file; by default `labels.txt`, else `labels.csv`, there or beside it, else none.
        n: how many.
        out: CSV file to write; with the suffix `.json`, tasks for Label Studio, answered by labels and model.
        strategy: see `aimonk.evaluation.suggestions`; the default is what was measured best.
        settings: `section.key=value` for any setting.

    Raises:
        ConfigError: there is no such strategy.
        ImagesError: no image lacks a label.
        LabelsError: the labels are not valid, or `out` cannot be written.
        ModelError: there is no such model, or it does not say which run trained it.
        TrackingError: the store cannot be used.
    """
    available = [name for name in STRATEGIES if name not in NEEDS_COMMITTEE]
    if strategy not in available:
        raise ConfigError(f"There is no strategy {strategy!r}; known are {', '.join(available)}.")
    if out and Path(out).suffix.lower() not in WRITTEN:
        known = " or ".join(WRITTEN)
        raise ConfigError(
            f"Suggestions cannot be written to {Path(out).name}; give a file that ends in {known}."
        )
    config = load_config(None, settings)
    with recorded() as record:
        with stage("model", "Model"):
            scored = ScoredModel.open(model)
        names = scored.held_out.attributes
        with stage("audit", "Reading images") as progress:
            cache = image_index_folder(config.features)
            given = Path(labels) if labels else None
            images = read_folder(Path(data), given, names, config, cache, progress)
        candidates = np.flatnonzero((images.targets == MISSING).any(axis=1))
        if not len(candidates):
            raise ImagesError(f"Every image in {data} has all of its labels, so none is left to label.")
        if strategy in NEEDS_FEATURES:
            features = _features(images, scored, config)
        with stage("score", "Scoring"):
            wanted = np.isin(np.arange(len(images.names)), candidates)
            scores = scored.scores(images.digests, images.paths, wanted, config.features)
        pool_rows = candidates[np.isfinite(scores.probabilities[candidates]).all(axis=1)]
        pool = _pool(
            images, pool_rows, scores.probabilities, features if strategy in NEEDS_FEATURES else None
        )
        with stage("suggest", "Choosing"):
            chosen = suggest_rows(pool, n, strategy, config.split.seed)
        found = SuggestionResult(
            run_id="",
            model_uri=scored.uri,
            strategy=strategy,
            pool=len(pool),
            suggestions=_described(images, pool, pool_rows, chosen, scored),
            out=str(out or ""),
        )
        found = publish_suggestions(found, Path(data), names, scored.run_id, config)
    return dataclasses.replace(found, warnings=tuple(record.warnings))


def _features(images: FolderImages, scored: ScoredModel, config: Config) -> np.ndarray:
    """`(N, D) float32`, standardized: the features that the model reads, stored or computed."""
    trained = checked(recorded_config(scored.run_id))
    own = dataclasses.replace(trained.features, store=config.features.store)
    with stage("embed", "Features") as progress:
        files = list(zip(images.digests, images.paths, strict=True))
        features = embed(files, own, views=("plain",), progress=progress)
    matrix = features.vectors.take(np.arange(len(files)))
    return np.asarray((matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-6), np.float32)


def _pool(
    images: FolderImages, rows: np.ndarray, probabilities: np.ndarray, features: np.ndarray | None
) -> Pool:
    """The candidates; without features the strategies that need them cannot be used."""
    labeled = np.flatnonzero((images.targets != MISSING).all(axis=1))
    matrix = np.zeros((len(images.names), 0), np.float32) if features is None else features
    return Pool(
        probabilities=probabilities[rows],
        missing=images.targets[rows] == MISSING,
        positives=np.sum(images.targets == 1, axis=0),
        features=matrix[rows],
        labeled=matrix[labeled],
    )


def _described(
    images: FolderImages, pool: Pool, rows: np.ndarray, chosen: np.ndarray, scored: ScoredModel
) -> tuple[Suggestion, ...]:
    names = scored.held_out.attributes
    threshold = {attribute.name: attribute.threshold for attribute in scored.info.attributes}
    said = pool.probabilities >= np.array([threshold[name] for name in names])
    present = np.where(pool.missing, said, images.targets[rows] == 1)
    bits, uncertainty = np.where(pool.missing, entropy(pool.probabilities), -1), mean_entropy(pool)
    return tuple(
        Suggestion(
            image=images.names[rows[row]],
            missing=int(pool.missing[row].sum()),
            uncertainty=float(uncertainty[row]),
            attributes=tuple(
                names[column]
                for column in np.argsort(-bits[row], kind="stable")[:LEAST_SURE]
                if pool.missing[row, column]
            ),
            present=tuple(name for name, is_it in zip(names, present[row], strict=True) if is_it),
        )
        for row in chosen.tolist()
    )
