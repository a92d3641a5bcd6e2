"""What is trained, whatever it is: the protocol of a learner and of the models that it fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..backbones.linear_head import LinearHead
from ..config import Config
from ..data.dataset import Dataset
from ..data.split import Split
from ..evaluation.calibration import Calibration
from ..features.cache_key import FeatureKey
from ..features.extractor import FeatureExtractor
from .history import History, Observer


@dataclass(frozen=True)
class ExportedModel:
    """What a model package is made of besides its record."""

    graph: Any
    """`openvino.Model`, `(N, H, W, 3) uint8 -> (N, L)` calibrated logits."""
    precision: str
    head: LinearHead | None = None
    """The calibrated head of a frozen backbone; None for a fine-tuned network."""


class FittedModel(Protocol):
    """A fitted model."""

    @property
    def history(self) -> History:
        """The losses of its training."""

    @property
    def epochs(self) -> int:
        """The epochs until it was best, which `Learner.refit` takes to get as far."""

    @property
    def pos_weights(self) -> np.ndarray:
        """`(L,) float32`: the weights of positives that its loss used."""

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)` raw logits of the data set's images with these indices."""

    def export(self, calibration: Calibration) -> ExportedModel:
        """Return the model with its calibration folded in. The fitted model stays as it is."""


class Learner(Protocol):
    """Fits models on splits of one data set."""

    backbone: FeatureExtractor

    @property
    def forward_passes(self) -> int:
        """Made for this data set; 0 when all features were stored."""

    @property
    def key(self) -> FeatureKey:
        """The key of the stored features."""

    def prepare(self, data: Dataset) -> None:
        """Compute what every fit needs."""

    def reconfigured(self, config: Config) -> Learner:
        """Return a learner of the same prepared images under other settings of the training."""

    def fit(
        self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedModel:
        """Train on `split.train` and stop on `split.validation`."""

    def refit(
        self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedModel:
        """Train on every image for a number of epochs that was found before."""

    def rest(self) -> None:
        """Give back the memory that the last fit took; another one may come, and reads its images anew."""


def monitored(split: Split, config: Config) -> np.ndarray:
    """Return the images whose loss is watched: of the test set, where nothing is chosen by it."""
    return split.validation if len(split.validation) or config.training.patience else split.test


def calibrated(head: LinearHead, calibration: Calibration) -> LinearHead:
    """Fold a calibration into a head: scale * (f @ K + b) + shift = f @ (scale * K) + (scale * b + shift)."""
    return LinearHead(
        kernel=(head.kernel * calibration.scale).astype(np.float32),
        bias=(head.bias * calibration.scale + calibration.shift).astype(np.float32),
    )
