"""A backbone with its weights in a store: its graph on disk, what was decided about it, its engines.

    <store>/<backbone>-<weights>-<size>-p<preprocessing>/ir/backbone.xml, .bin, ir.json
                                                        /engine.json, precision.json
                                                        /<engine>-<precision>/*.parquet

Once the backbone has been used with this store, all of it is known without TensorFlow. An ONNX backbone never
needs it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..atomic_files import recall, remember, remove_whole
from ..backbones.alone import check_alone
from ..backbones.color_histogram import palette
from ..backbones.digest import digest_of
from ..backbones.graph import GRAPH, convert, is_sound, write_graph
from ..backbones.keras_file import KerasFile
from ..backbones.named_backbone import named_backbone
from ..backbones.onnx_file import OnnxFile, no_keras_model
from ..backbones.onnx_graph import build_onnx
from ..backbones.pooling import readout
from ..backbones.preprocessing import PREPROCESSING_VERSION
from ..backbones.probe_images import drawn_samples
from ..backbones.weights import RANDOM, remember_imagenet, weights_digest
from ..backbones.zoo import KerasApplication
from ..config import FeaturesConfig
from ..errors import BackboneError, ConfigError, FeatureStoreError
from ..runtime.decoder import PREPROCESSING
from .cache_key import FeatureKey, store_folder
from .engines import BF16_LIMIT, Engine, KerasEngine, OpenVINOEngine, has_bf16, has_gpu, rate, relative_error
from .shared_graphs import copy_graph, shared_store

if TYPE_CHECKING:
    import keras
    import openvino as ov

Samples = Callable[[], np.ndarray]
"""Gives a few images `(n, H, W, 3) uint8` of the backbone's size, on which engines are compared."""

RACE_FROM = 5_000
"""Images to embed from which timing both engines (some 4 s) pays; below, `auto` takes OpenVINO on a CPU."""

_CLEARLY_FASTER = 1.05

_LOG = logging.getLogger("aimonk.features")


class FeatureExtractor:
    """The backbone that the settings name, in one store.

    Args:
        config: names the backbone, its weights, the engine and the precision.
        store: folder of the feature store; by default `store_folder(config)`.

    Raises:
        BackboneError: the backbone is unknown, or its weights file is not there.
        ConfigError: the engine cannot compute in that precision.

    """

    def __init__(self, config: FeaturesConfig, store: Path | None = None) -> None:
        if config.engine == "keras" and config.precision == "bf16":
            raise ConfigError("The Keras engine computes in f32; set features.precision to auto or f32.")
        self.config = config
        self.backbone = named_backbone(config)
        if isinstance(self.backbone, OnnxFile) and config.engine == "keras":
            raise ConfigError(
                f"The Keras engine does not run the ONNX backbone {self.backbone.path}; "
                "set features.engine to auto."
            )
        self.readout = readout(config, self.backbone)
        self.store = store or store_folder(config)
        self._digest: str | None
        if isinstance(self.backbone, OnnxFile | KerasFile):
            self._digest = self.backbone.digest
        else:
            known = (weights_digest(self.backbone, config.weights, s) for s in (self.store, shared_store()))
            self._digest = next(filter(None, known), None)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the images it takes."""
        return self.readout.size

    @property
    def is_trainable(self) -> bool:
        """Whether there is a Keras model of it, which can be fine-tuned and saved; not of an ONNX file."""
        return not isinstance(self.backbone, OnnxFile)

    def check_trainable(self) -> None:
        """Check that there is a Keras model to fine-tune.

        Raises:
            BackboneError: the backbone is an ONNX file.

        """
        if isinstance(self.backbone, OnnxFile):
            raise no_keras_model(self.backbone)

    @cached_property
    def keras_model(self) -> keras.Model:
        """The model `(N, H, W, 3) uint8 -> (N, D) float32`; imports TensorFlow.

        Raises:
            BackboneError: the weights cannot be had, do not fit, or have changed since they were first read;
                or the backbone is an ONNX file.

        """
        from ..backbones.build import build_backbone

        model, file = build_backbone(self.backbone, self.config.weights, self.readout)
        if file is None:
            return model
        if isinstance(self.backbone, KerasApplication) and self.config.weights == "imagenet":
            digest = remember_imagenet(self.backbone, file, self.store)
            with contextlib.suppress(FeatureStoreError):
                remember_imagenet(self.backbone, file, shared_store())
        else:
            digest = digest_of(file)
        if self._digest not in (None, digest):
            raise BackboneError(
                f"The weights file {file} has changed since this run began; run the command again."
            )
        self._digest = digest
        return model

    @property
    def digest(self) -> str:
        """SHA-256 of the weights file, or `random`; loads the model where only Keras knows the file."""
        if self._digest is None:
            _ = self.keras_model
        return self._digest or RANDOM

    @property
    def folder(self) -> Path:
        """The folder of everything about this graph."""
        return self.store / self._key("", "").graph_folder

    @cached_property
    def graph(self) -> Path:
        """Path of the IR in f32, `(N, H, W, 3) uint8 -> (N, D) float32`, converted the first time.

        Raises:
            BackboneError: see `keras_model`.
            FeatureStoreError: the graph cannot be written.

        """
        folder = self.folder / "ir"
        if not is_sound(folder):
            if folder.exists():
                _LOG.warning("The graph %s is damaged; it is converted again.", folder / GRAPH)
                remove_whole(folder)
            shared = self._shared_ir
            if shared is None or not copy_graph(shared, folder):
                write_graph(self._built(), folder)
                if shared is not None and not is_sound(shared):
                    copy_graph(folder, shared)
        return folder / GRAPH

    @property
    def _shared_ir(self) -> Path | None:
        """Where other stores find the graph; None where it takes no Keras, or its weights are random."""
        if isinstance(self.backbone, OnnxFile) or self.digest == RANDOM:
            return None
        return shared_store() / self.folder.name / "ir"

    def _built(self) -> ov.Model:
        if isinstance(self.backbone, OnnxFile):
            graph = build_onnx(self.backbone, self.readout)
        else:
            graph = convert(self.keras_model, "features")
        if isinstance(self.backbone, OnnxFile | KerasFile):
            check_alone(graph, str(self.backbone.path), self.readout.colors * len(palette()))
        return graph

    def known_key(self) -> FeatureKey | None:
        """Return the key if nothing has to be decided, measured or downloaded for it; else None."""
        if self._digest is None:
            return None
        engine = self._named_engine()
        precision = self._named_precision(engine) if engine else None
        return self._key(engine, precision) if engine and precision else None

    def key(self, samples: Samples | None = None, images: int = 0) -> FeatureKey:
        """Decide engine and precision, remember both in the store, and return the key.

        Args:
            samples: images to compare precisions and engines on; by default drawn ones.
            images: how many are to be embedded.

        Raises:
            BackboneError: see `keras_model`; or bf16 was asked for and is too coarse, or not there.
            FeatureStoreError: the graph or the decision cannot be written.

        """
        take = samples or (lambda: drawn_samples(self.size))
        engine = self._named_engine() or self._decide_engine(take, images)
        precision = self._named_precision(engine) or self._decide_precision(take)
        return self._key(engine, precision)

    def engine(self, key: FeatureKey) -> Engine:
        """Open what computes the vectors of a key."""
        if key.engine == "keras":
            return KerasEngine(self.keras_model)
        return OpenVINOEngine(self.graph, key.precision)

    def bf16_error(self) -> float | None:
        """Recall the measured error of bf16 features relative to f32; None where it was not measured."""
        facts = recall(self.folder / "precision.json")
        return None if facts is None else float(facts["bf16_error"])

    def _named_engine(self) -> str | None:
        if self.config.engine != "auto":
            return self.config.engine
        if not self.is_trainable:
            return "openvino"
        if self.config.precision == "bf16":
            return "openvino"
        facts = recall(self.folder / "engine.json")
        return None if facts is None else str(facts["engine"])

    def _named_precision(self, engine: str) -> str | None:
        if engine == "keras" or self.config.precision == "f32":
            return "f32"
        if not has_bf16():
            return self._without_bf16("this processor has no bf16 arithmetic")
        error = self.bf16_error()
        return None if error is None else self._judge(error)

    def _decide_precision(self, samples: Samples) -> str:
        images = samples()
        exact, coarse = (OpenVINOEngine(self.graph, precision).embed(images) for precision in ("f32", "bf16"))
        error = min(relative_error(coarse, exact), 1e9)  # JSON has no infinity
        facts = {"bf16_error": error, "images": len(images), "limit": BF16_LIMIT}
        return self._judge(float(remember(self.folder / "precision.json", facts)["bf16_error"]))

    def _judge(self, error: float) -> str:
        if error <= BF16_LIMIT:
            return "bf16"
        return self._without_bf16(f"it changes this backbone's features by {error:.1%}")

    def _without_bf16(self, why: str) -> str:
        if self.config.precision == "bf16":
            raise BackboneError(f"bf16 cannot be used: {why}; set features.precision to auto or f32.")
        return "f32"

    def _decide_engine(self, samples: Samples, images: int) -> str:
        facts: dict[str, object] = {"engine": "openvino"}
        if has_gpu():
            facts = {"engine": "keras", "gpu": True}
        elif images >= RACE_FROM:
            rates = self._race(samples)
            faster = rates["keras"] > _CLEARLY_FASTER * rates["openvino"]
            facts = {"engine": "keras" if faster else "openvino", "images_per_second": rates}
        return str(remember(self.folder / "engine.json", facts)["engine"])

    def _race(self, samples: Samples) -> dict[str, float]:
        precision = self._named_precision("openvino") or self._decide_precision(samples)
        images = np.resize(samples(), (32, *self.size, 3))
        engines: tuple[Engine, ...] = (KerasEngine(self.keras_model), OpenVINOEngine(self.graph, precision))
        return {engine.name: rate(engine, images) for engine in engines}

    def _key(self, engine: str, precision: str) -> FeatureKey:
        height, width = self.size
        version = f"{PREPROCESSING}.{PREPROCESSING_VERSION}"
        if isinstance(self.backbone, OnnxFile):
            version += f".{self.backbone.preprocessing.digest[:8]}"
        read = str(self.readout)
        return FeatureKey(str(self.backbone), self.digest, height, width, version, engine, precision, read)
