"""What a learner and its models can do, whatever is trained."""

from __future__ import annotations

from collections.abc import Callable
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
from ..features.extractor import FrozenBackbone
from ..progress import Stages
from .history import History, Observer

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Deliverable:
    """What a model package is made of besides its record."""

    graph: Any
    """`openvino.Model`, `(N, H, W, 3) uint8 -> (N, L)` calibrated logits."""
    save_keras: Callable[[Path], object] | None
    """None for an ONNX backbone, of which there is no Keras model."""
    precision: str
    head: LinearHead | None = None


class Trained(Protocol):
    """A fitted model."""

    @property
    def history(self) -> History:
        """How it came to be."""

    @property
    def epochs(self) -> int:
        """How long it was trained until it was best: what `Learner.fit_all` takes to get as far."""

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)` raw logits of the data set's images with these indices."""

    def deliver(self, calibration: Calibration) -> Deliverable:
        """The model with its calibration folded in."""


class Learner(Protocol):
    """Fits splits of one data set."""

    backbone: FrozenBackbone

    @property
    def forward_passes(self) -> int:
        """Made for this data set; 0 when all features were stored."""

    @property
    def key(self) -> FeatureKey:
        """Of the stored features."""

    def prepare(self, data: Dataset, stages: Stages, warn: Warn) -> None:
        """Compute what every fit needs."""

    def reconfigured(self, config: Config) -> Learner:
        """The same prepared images under other settings of the training."""

    def fit(self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None) -> Trained:
        """Train on `split.train` and stop on `split.validation`."""

    def fit_all(
        self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> Trained:
        """Train on every image for a number of epochs that was found before."""


def monitored(split: Split, config: Config) -> np.ndarray:
    """Images whose loss is watched. Where nothing is chosen by it, those of the test set may be."""
    return split.validation if len(split.validation) or config.training.patience else split.test


def calibrated(head: LinearHead, calibration: Calibration) -> LinearHead:
    """A head whose logits are the calibrated ones: scale * (f @ K + b) + shift = f @ (scale * K) + ..."""
    return LinearHead(
        kernel=(head.kernel * calibration.scale).astype(np.float32),
        bias=(head.bias * calibration.scale + calibration.shift).astype(np.float32),
    )
