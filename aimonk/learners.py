"""The two ways to learn: a linear head on frozen features, or the whole network fine-tuned after it.

A learner is opened before anything is recorded, which finds a wrong backbone or weights. It then prepares
the images once (features, or pixels too), fits any number of splits, and turns a fitted model into one
OpenVINO graph from RGB pixels to logits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .config import Config
from .data.dataset import Dataset
from .data.split import Split
from .evaluation.calibration import Calibration
from .features.embed import embed
from .features.frozen import FrozenBackbone
from .features.key import FeatureKey
from .stages import Stages
from .training.records import Head, History, Observer

if TYPE_CHECKING:
    import keras

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Deliverable:
    """What a model package is made of besides its record."""

    graph: Any
    """`openvino.Model`, `(N, H, W, 3) uint8 -> (N, L)` calibrated logits."""
    save_keras: Callable[[Path], object]
    precision: str
    head: Head | None = None


class Trained(Protocol):
    """A fitted model."""

    @property
    def history(self) -> History:
        """How it came to be."""

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


def open_learner(config: Config) -> Learner:
    """The learner that `training.mode` names, its backbone loaded and checked.

    Raises:
        BackboneError: the backbone is unknown, or its weights are missing or do not fit.
        ConfigError: the engine does not offer the precision.
    """
    backbone = FrozenBackbone(config.features)
    _ = backbone.graph  # weights that do not fit are found here
    return Finetuning(config, backbone) if config.training.mode == "finetune" else HeadOnly(config, backbone)


def calibrated(head: Head, calibration: Calibration) -> Head:
    """A head whose logits are the calibrated ones: scale * (f @ K + b) + shift = f @ (scale * K) + ..."""
    return Head(
        kernel=(head.kernel * calibration.scale).astype(np.float32),
        bias=(head.bias * calibration.scale + calibration.shift).astype(np.float32),
    )


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
        from .training.fit import fit_head

        head, history = fit_head(self.views, self.targets, train, watched, config.training, observer)
        return FittedHead(head, history, self)


@dataclass(frozen=True)
class FittedHead:
    """A head, and the learner whose features it reads."""

    head: Head
    history: History
    learner: HeadOnly

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)`: what the served graph computes, whose backbone is the very one the features come from."""
        return self.head.logits(self.learner.plain[rows])

    def deliver(self, calibration: Calibration) -> Deliverable:
        """Append the head to the backbone's graph; TensorFlow only saves `model.keras`."""
        from .serving.package import append_head

        head = calibrated(self.head, calibration)
        backbone = self.learner.backbone

        def save(path: Path) -> None:
            from .training.models import model_from_head

            model_from_head(backbone.keras_model, head).save(path)

        return Deliverable(append_head(backbone.graph, head), save, self.learner.key.precision, head)


class Finetuning:
    """Two phases: a head on frozen features, then the head and the backbone together, on augmented pixels."""

    def __init__(self, config: Config, backbone: FrozenBackbone) -> None:
        self.config, self.backbone = config, backbone
        self.first_phase = HeadOnly(config, backbone)

    @property
    def forward_passes(self) -> int:
        """Of the frozen backbone, for the first phase."""
        return self.first_phase.forward_passes

    @property
    def key(self) -> FeatureKey:
        """Of the features of the first phase."""
        return self.first_phase.key

    def prepare(self, data: Dataset, stages: Stages, warn: Warn) -> None:
        """Features for the first phase, decoded pixels for the second."""
        self.first_phase.prepare(data, stages, warn)
        from .training.pipeline import decode_images

        with stages.stage("decode", "Decoding") as progress:
            self.images = decode_images(data.paths, self.backbone.size, progress)
        self.targets, self.stages = data.targets, stages

    def reconfigured(self, config: Config) -> Finetuning:
        """The same features and pixels under other settings of either phase."""
        twin = copy(self)
        twin.config, twin.first_phase = config, self.first_phase.reconfigured(config)
        return twin

    def fit(
        self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedNetwork:
        """Train both phases; the second goes on from `checkpoint`, if one is there."""
        head = self.first_phase.fit(split, observer)
        return self._fit(head, split.train, monitored(split, self.config), self.config, observer, checkpoint)

    def fit_all(
        self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedNetwork:
        """Train both phases on every image; `epochs` are those of the second one."""
        rows = np.arange(len(self.targets))
        config = dataclasses.replace(
            self.config, finetune=dataclasses.replace(self.config.finetune, epochs=epochs)
        )
        head = self.first_phase.fit_all(self.config.training.epochs, observer)
        return self._fit(head, rows, rows[:0], config, observer, checkpoint)

    def _fit(
        self,
        head: FittedHead,
        train: np.ndarray,
        watched: np.ndarray,
        config: Config,
        observer: Observer | None,
        checkpoint: Path | None,
    ) -> FittedNetwork:
        from .features.backbones import build_backbone
        from .training.finetune import finetune
        from .training.models import model_from_head

        # A network of its own for every fit: training changes it in place.
        frozen = self.backbone
        network, _ = build_backbone(frozen.backbone, self.config.features.weights, frozen.readout)
        model = model_from_head(network, head.head)
        later = After(head.history, observer) if observer else None
        with self.stages.stage("finetune", "Fine-tuning") as progress:
            history = finetune(
                model,
                self.images,
                self.targets,
                train,
                watched,
                config.training,
                config.finetune,
                later,
                checkpoint,
                progress,
            )
        return FittedNetwork(model, joined(head.history, history), self)


@dataclass(frozen=True)
class FittedNetwork:
    """A fine-tuned network, and the learner whose pixels it reads."""

    model: keras.Model
    history: History
    learner: Finetuning

    @cached_property
    def _raw(self) -> Callable[[np.ndarray], np.ndarray]:
        from .features.engines import OpenVINOEngine
        from .features.graph_file import convert

        return OpenVINOEngine(convert(self.model, "logits"), "f32").embed

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)`, computed by the graph that is served, not by Keras."""
        return self._raw(self.learner.images[rows])

    def deliver(self, calibration: Calibration) -> Deliverable:
        """Fold the calibration into the last layer, then convert."""
        from .features.graph_file import convert
        from .training.models import LOGITS, head_of

        head = calibrated(head_of(self.model), calibration)
        self.model.get_layer(LOGITS).set_weights([head.kernel, head.bias])
        return Deliverable(convert(self.model, "logits"), self.model.save, "f32")


def monitored(split: Split, config: Config) -> np.ndarray:
    """Images whose loss is watched. Where nothing is chosen by it, those of the test set may be."""
    return split.validation if len(split.validation) or config.training.patience else split.test


def without_stopping(config: Config, epochs: int) -> Config:
    """The same training for exactly so many epochs."""
    return dataclasses.replace(
        config, training=dataclasses.replace(config.training, epochs=epochs, patience=0)
    )


@dataclass(frozen=True)
class After:
    """An observer of the second phase, whose iterations and epochs count on from those of the first."""

    first: History
    observer: Observer

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """See `Observer`."""
        self.observer.iterations(len(self.first.iteration_losses) + first_step, losses)

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """See `Observer`."""
        done = len(self.first.iteration_losses)
        self.observer.epoch(len(self.first.epoch_steps) + epoch, done + step, validation_loss)


def joined(first: History, second: History) -> History:
    """One history of two phases, the second counting on."""
    done = len(first.iteration_losses)
    return History(
        iteration_losses=np.concatenate([first.iteration_losses, second.iteration_losses]),
        epoch_steps=(*first.epoch_steps, *(done + step for step in second.epoch_steps)),
        validation_losses=(*first.validation_losses, *second.validation_losses),
        best_epoch=len(first.epoch_steps) + second.best_epoch,
    )
