"""A linear head on the features of a frozen backbone, which are computed once per image, ever."""

from __future__ import annotations

import dataclasses
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...backbones.linear_head import LinearHead, append_head
from ...config import Config
from ...data.dataset import Dataset
from ...data.split import Split
from ...evaluation.calibration import Calibration
from ...features.cache_key import FeatureKey
from ...features.embedding import embed
from ...features.extractor import FeatureExtractor
from ...features.views import PLAIN
from ...progress import stage
from ..class_weights import pos_weights
from ..history import History, Observer
from ..learner import ExportedModel, calibrated, monitored
from .color_share import color_weights
from .fit_probe import fit_probe
from .lanes import opened_lanes
from .objective import FilledLabels


class LinearProbe:
    """A linear head on the features of a frozen backbone."""

    def __init__(self, config: Config, backbone: FeatureExtractor) -> None:
        self.config, self.backbone = config, backbone

    def prepare(self, data: Dataset) -> None:
        """Take the features from the store, or compute and store them.

        The plain view comes first, and is always among them: it is the one that is scored.
        """
        chosen = self.config.features.views
        views = (PLAIN, *(view for view in chosen if view != PLAIN))
        with stage("embed", "Features") as progress:
            files = list(zip(data.digests, data.paths, strict=True))
            features = embed(
                files, self.config.features, views=views, progress=progress, backbone=self.backbone
            )
        self.targets, self.filled_labels = data.targets, filled_labels(data, self.config)
        self.vectors, self.filled = features.vectors, features.filled

    def reconfigured(self, config: Config) -> LinearProbe:
        """Return a learner of the same features under other settings of the head."""
        twin = copy(self)
        twin.config = config
        return twin

    @property
    def forward_passes(self) -> int:
        """Made for this data set; 0 when all features were stored."""
        return self.filled.forward_passes

    @property
    def key(self) -> FeatureKey:
        """The key of the stored features."""
        return self.filled.key

    def fit(
        self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedProbe:
        """Train a head. It takes seconds, so no checkpoint is kept."""
        return self._fit(split.train, monitored(split, self.config), self.config, observer)

    def refit(
        self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedProbe:
        """Train a head on every image."""
        rows = np.arange(len(self.targets))
        return self._fit(rows, rows[:0], without_stopping(self.config, epochs), observer)

    def rest(self) -> None:
        """Give back the memory of the features, which are read from their file again if need be."""
        self.vectors.rest()

    def weights(self) -> np.ndarray | None:
        """`(D,)` weights of the scaled features, None for 1; see `color_weights`."""
        places = self.backbone.readout.colors
        return color_weights(self.vectors.width, places, self.config.training.color_share)

    def _fit(
        self, train: np.ndarray, watched: np.ndarray, config: Config, observer: Observer | None
    ) -> FittedProbe:
        training = config.training
        weights = pos_weights(self.targets[train], training.pos_weight_power, training.pos_weight_max)
        head, history = fit_probe(
            self.vectors,
            self.targets,
            train,
            watched,
            training,
            observer,
            self.filled_labels,
            self.weights(),
        )
        return FittedProbe(head, history, weights, self)


@dataclass(frozen=True)
class FittedProbe:
    """A head, and the learner whose features it reads."""

    head: LinearHead
    history: History
    pos_weights: np.ndarray
    learner: LinearProbe

    @property
    def epochs(self) -> int:
        """The epochs until the head was best."""
        return self.history.best_epoch

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)`: what the served graph computes, whose backbone is the one that made the features."""
        vectors = self.learner.vectors
        places = vectors.rows[0, rows]

        def stretch(part: slice) -> np.ndarray:
            return np.concatenate([self.head.logits(block) for _, block in vectors.blocks(places[part])])

        # In lanes like the fit: the last bit of a product depends on how many threads BLAS has, and in a
        # sweep another thread's fit may have taken them.
        if not len(rows):
            return np.empty((0, len(self.head.bias)), np.float32)
        with opened_lanes() as lanes:
            return np.concatenate(lanes.each(stretch, len(rows)))

    def export(self, calibration: Calibration) -> ExportedModel:
        """Append the calibrated head to the backbone's graph."""
        head = calibrated(self.head, calibration)
        return ExportedModel(append_head(self.learner.backbone.graph, head), self.learner.key.precision, head)


def filled_labels(data: Dataset, config: Config) -> FilledLabels | None:
    """Return the labels that a model filled in, where the settings give them a weight."""
    if data.filled is None or config.labels.filled == "ignore":
        return None
    return FilledLabels(data.filled, config.labels.filled_weight)


def without_stopping(config: Config, epochs: int) -> Config:
    """Return the same training for exactly so many epochs."""
    return dataclasses.replace(
        config, training=dataclasses.replace(config.training, epochs=epochs, patience=0)
    )
