"""A model with the held-out scores of its training: what it says of images it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import FeaturesConfig
from ..evaluation.held_out import HeldOutScores
from ..evaluation.missing_cells import MODEL, OUT_OF_FOLD, ImageScores
from ..progress import LOGGER
from ..runtime.predictor import Predictor
from ..runtime.record import PackageInfo, read_info
from ..tracking.logged_model import model_package
from ..tracking.predictions_table import read_predictions
from ..tracking.registry import resolve, run_of
from .file_scores import score_files
from .package import SEEN_DIGITS, read_seen


@dataclass(frozen=True)
class ScoredModel:
    """A model, and the run that trained it."""

    uri: str
    """Of a version, not of an alias, which may move."""
    run_id: str
    package: Path
    info: PackageInfo
    held_out: HeldOutScores

    @classmethod
    def open(cls, uri: str) -> ScoredModel:
        """Fetch a model and the scores of its training.

        Args:
            uri: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `runs:/ID/model`.

        Raises:
            ModelError: there is no such model, or its run keeps no held-out scores.
            TrackingError: the store cannot be reached.
        """
        run_id, version, package = run_of(uri), resolve(uri), model_package(uri)
        return cls(
            version.uri if version else uri, run_id, package, read_info(package), read_predictions(run_id)
        )

    @property
    def learned(self) -> tuple[str, ...]:
        """Attributes with the verdict `learned`."""
        return tuple(attribute.name for attribute in self.info.attributes if attribute.verdict == "learned")

    def scores(
        self, digests: Sequence[str], paths: Sequence[Path], wanted: np.ndarray, config: FeaturesConfig
    ) -> ImageScores:
        """Score images by models that did not learn from them.

        An image of the training has the score of the fold that held it out. An image that is new to the model
        is scored by the model that ships. An image that it was trained or tuned on and that was never held
        out has no score: what a model says of its own training images is too sure.

        Args:
            digests: hex SHA-256 of M image files.
            paths: M files.
            wanted: `(M,) bool`, the images that need a score.
            config: says where features are stored.

        """
        names = self.held_out.attributes
        probabilities = np.full((len(digests), len(names)), np.nan)
        sources = [""] * len(digests)
        ours, theirs = self.held_out.rows_of(digests)
        probabilities[ours] = self.held_out.probabilities[theirs]
        for row in ours.tolist():
            sources[row] = OUT_OF_FOLD
        seen = read_seen(self.package)
        rest = [row for row in np.flatnonzero(wanted).tolist() if not sources[row]]
        new = [row for row in rest if digests[row][:SEEN_DIGITS] not in seen]
        if len(new) < len(rest):
            LOGGER.warning(
                "%d images are left out: the model was trained on them, and no fold held them out; train "
                "with evaluation.folds=5",
                len(rest) - len(new),
            )
        if new:
            columns = [self.info.names.index(name) for name in names]
            with Predictor(self.package, throughput=True) as predictor:
                files = [(digests[row], paths[row]) for row in new]
                probabilities[new] = score_files(self.package, predictor, files, config)[:, columns]
            for row in new:
                sources[row] = MODEL
        return ImageScores(probabilities, tuple(sources))
