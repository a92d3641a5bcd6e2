"""The whole network: a head on frozen features first, then the head and the backbone together, on pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...backbones.linear_head import append_scale
from ...backbones.pooling import Readout, readout
from ...config import Config
from ...data.dataset import Dataset
from ...data.split import Split
from ...evaluation.calibration import Calibration
from ...features.cache_key import FeatureKey
from ...features.extractor import FeatureExtractor
from ...progress import stage
from ..history import History, Observer, SecondPhase, joined
from ..learner import ExportedModel, monitored
from ..linear_probe.probe_learner import FittedProbe, LinearProbe
from ..linear_probe.scaling import Scaling

if TYPE_CHECKING:
    import keras

    from ...backbones.linear_head import LinearHead


class Finetuning:
    """Two phases: a head on frozen features, then the head and the backbone together, on augmented pixels."""

    def __init__(self, config: Config, backbone: FeatureExtractor) -> None:
        self.config, self.backbone = config, backbone
        self.first_phase = LinearProbe(config, backbone)

    @property
    def forward_passes(self) -> int:
        """Of the frozen backbone, for the first phase."""
        return self.first_phase.forward_passes

    @property
    def key(self) -> FeatureKey:
        """The key of the features of the first phase."""
        return self.first_phase.key

    def prepare(self, data: Dataset) -> None:
        """Compute features for the first phase and decode pixels for the second."""
        self.first_phase.prepare(data)
        self.targets, self.paths = data.targets, data.paths
        self._decoded: dict[tuple[int, int], np.ndarray] = {}
        for size in {self.backbone.size, self._training_readout().size}:
            self.pixels(size)

    def pixels(self, size: tuple[int, int]) -> np.ndarray:
        """`(N, height, width, 3) uint8` of all images, decoded once."""
        from .pipeline import decode_images

        if size not in self._decoded:
            with stage("decode", "Decoding") as progress:
                self._decoded[size] = decode_images(self.paths, size, progress)
        return self._decoded[size]

    def _training_readout(self) -> Readout:
        resolution = self.config.finetune.resolution or self.config.features.resolution
        features = dataclasses.replace(self.config.features, resolution=resolution)
        return readout(features, self.backbone.backbone)

    def reconfigured(self, config: Config) -> Finetuning:
        """Return a learner of the same features and pixels under other settings of either phase."""
        twin = copy(self)
        twin.config, twin.first_phase = config, self.first_phase.reconfigured(config)
        return twin

    def fit(
        self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedNetwork:
        """Train both phases. The second one resumes from `checkpoint`, if one is there."""
        head = self.first_phase.fit(split, observer)
        return self._fit(head, split.train, monitored(split, self.config), self.config, observer, checkpoint)

    def refit(
        self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None
    ) -> FittedNetwork:
        """Train both phases on every image; `epochs` are those of the second one."""
        rows = np.arange(len(self.targets))
        config = dataclasses.replace(
            self.config, finetune=dataclasses.replace(self.config.finetune, epochs=epochs)
        )
        head = self.first_phase.refit(self.config.training.epochs, observer)
        return self._fit(head, rows, rows[:0], config, observer, checkpoint)

    def rest(self) -> None:
        """Forget the decoded pixels, and let the features of the first phase be read again if need be."""
        self._decoded.clear()
        self.first_phase.rest()

    def _fit(
        self,
        head: FittedProbe,
        train: np.ndarray,
        watched: np.ndarray,
        config: Config,
        observer: Observer | None,
        checkpoint: Path | None,
    ) -> FittedNetwork:
        from .fit_network import finetune

        scaled = config.training.scale_features
        phase = self.first_phase
        scaling = Scaling.of(phase.vectors, train, phase.weights()) if scaled else None
        seen = self._training_readout()
        model = self._network(seen, head.head, scaling)
        with stage("finetune", "Fine-tuning") as progress:
            history = finetune(
                model,
                self.pixels(seen.size),
                self.targets,
                train,
                watched,
                config.training,
                config.finetune,
                SecondPhase(head.history, observer) if observer else None,
                checkpoint,
                progress,
            )
        if seen != self.backbone.readout:
            answering = self._network(self.backbone.readout, head.head, scaling)
            answering.set_weights(model.get_weights())
            model = answering
        return FittedNetwork(model, joined(head.history, history), history.best_epoch, head.pos_weights, self)

    def _network(self, seen: Readout, head: LinearHead, scaling: Scaling | None) -> keras.Model:
        """Build the whole network for images of one size. Training changes it, so every fit has its own."""
        from ...backbones.build import build_backbone
        from .network import model_from_head

        network, _ = build_backbone(self.backbone.backbone, self.config.features.weights, seen)
        return model_from_head(network, head, scaling, self.config.finetune.dropout)


@dataclass(frozen=True)
class FittedNetwork:
    """A fine-tuned network, and the learner whose pixels it reads."""

    model: keras.Model
    history: History
    """Of both phases."""
    epochs: int
    """Of the second phase, until the network was best."""
    pos_weights: np.ndarray
    learner: Finetuning

    @cached_property
    def _raw(self) -> Callable[[np.ndarray], np.ndarray]:
        from ...backbones.graph import convert
        from ...features.engines import OpenVINOEngine

        return OpenVINOEngine(convert(self.model, "logits"), "f32").embed

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)`, computed by the graph that is served, not by Keras."""
        return self._raw(self.learner.pixels(self.learner.backbone.size)[rows])

    def export(self, calibration: Calibration) -> ExportedModel:
        """Convert the network and append the calibration to its graph.

        The Keras model is not touched: OpenVINO's constants may share the memory of its weights.
        """
        from ...backbones.graph import convert

        graph = convert(self.model, "logits")
        return ExportedModel(append_scale(graph, calibration.scale, calibration.shift), "f32")
