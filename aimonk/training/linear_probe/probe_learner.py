"""A linear head on frozen features: the backbone sees every image once, ever."""

from __future__ import annotations

import dataclasses
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...backbones.linear_head import LinearHead
from ...config import Config
from ...data.dataset import Dataset
from ...data.split import Split
from ...evaluation.calibration import Calibration
from ...features.cache_key import FeatureKey
from ...features.embedding import embed
from ...features.extractor import FrozenBackbone
from ...progress import Stages
from ..history import History, Observer
from ..learner import Deliverable, Warn, calibrated, monitored


class HeadOnly:
    """A linear head on the features of a frozen backbone, which are computed once per image, ever."""

    def __init__(self, config: Config, backbone: FrozenBackbone) -> None:
        self.config, self.backbone = config, backbone

    def prepare(self, data: Dataset, stages: Stages, warn: Warn) -> None:
        """Take the features from the store, or compute and store them."""
        with stages.stage("embed", "Features") as progress:
            files = list(zip(data.digests, data.paths, strict=True))
            features = embed(
                files, self.config.features, progress=progress, warn=warn, backbone=self.backbone
            )
        self.targets = data.targets
        self.views = np.ascontiguousarray(features.vectors.transpose(1, 0, 2))
        self.plain = features.plain
        self.filled = features.filled

    def reconfigured(self, config: Config) -> HeadOnly:
        """The same features under other settings of the head."""
        twin = copy(self)
        twin.config = config
        return twin

    @property
    def forward_passes(self) -> int:
        """Made for this data set; 0 when all features were stored."""
        return self.filled.forward_passes

    @property
    def key(self) -> FeatureKey:
        """Of the stored features."""
        return self.filled.key

    def fit(
        self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedHead:
        """Train a head; it takes seconds, so no checkpoint is kept."""
        return self._fit(split.train, monitored(split, self.config), self.config, observer)

    def fit_all(
        self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedHead:
        """Train a head on every image."""
        return self._fit(
            np.arange(len(self.targets)), np.arange(0), without_stopping(self.config, epochs), observer
        )

    def _fit(
        self, train: np.ndarray, watched: np.ndarray, config: Config, observer: Observer | None
    ) -> FittedHead:
        from .fit_head import fit_head

        head, history = fit_head(self.views, self.targets, train, watched, config.training, observer)
        return FittedHead(head, history, self)


@dataclass(frozen=True)
class FittedHead:
    """A head, and the learner whose features it reads."""

    head: LinearHead
    history: History
    learner: HeadOnly

    @property
    def epochs(self) -> int:
        """Until the head was best."""
        return self.history.best_epoch

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)`: what the served graph computes, whose backbone is the very one the features come from."""
        return self.head.logits(self.learner.plain[rows])

    def deliver(self, calibration: Calibration) -> Deliverable:
        """Append the head to the backbone's graph; TensorFlow only saves `model.keras` (not of ONNX)."""
        from ...backbones.linear_head import append_head

        head = calibrated(self.head, calibration)
        backbone = self.learner.backbone

        def save(path: Path) -> None:
            from ..finetuning.network import model_from_head

            model_from_head(backbone.keras_model, head).save(path)

        graph = append_head(backbone.graph, head)
        return Deliverable(graph, save if backbone.is_trainable else None, self.learner.key.precision, head)


def without_stopping(config: Config, epochs: int) -> Config:
    """The same training for exactly so many epochs."""
    return dataclasses.replace(
        config, training=dataclasses.replace(config.training, epochs=epochs, patience=0)
    )
