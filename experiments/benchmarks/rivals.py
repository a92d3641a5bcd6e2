"""What aimonk's throughput is measured against: the bare engine, and a Keras model called through MLflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

BATCH = 32
"""Images per call of the Keras model."""


def rate(images: int, work: Callable[[], object]) -> float:
    """Images per second."""
    began = time.perf_counter()
    work()
    return images / (time.perf_counter() - began)


class Bare:
    """The graph without anything around it."""

    def __init__(self, graph: Path, precision: str, pixels: np.ndarray) -> None:
        self.graph, self.precision, self.pixels = graph, precision, pixels
        few = pixels[: max(64, len(pixels) // 5)]
        self.batch = max((1, 2, 4, 8, 16), key=lambda batch: self._rate(batch, few))
        self.queue = self._open(self.batch)

    def run(self) -> float:
        """Images per second through the queue that is open."""
        return rate(len(self.pixels), lambda: self._pass(self.queue, self.batch, self.pixels))

    def _open(self, batch: int) -> Any:
        import openvino as ov

        core = ov.Core()
        model = core.read_model(self.graph)
        model.reshape([batch, *self.pixels.shape[1:]])
        settings = {"INFERENCE_PRECISION_HINT": self.precision, "PERFORMANCE_HINT": "THROUGHPUT"}
        return ov.AsyncInferQueue(core.compile_model(model, "CPU", settings))

    def _rate(self, batch: int, pixels: np.ndarray) -> float:
        queue = self._open(batch)
        self._pass(queue, batch, pixels[: 4 * batch])
        return rate(len(pixels), lambda: self._pass(queue, batch, pixels))

    def _pass(self, queue: Any, batch: int, pixels: np.ndarray) -> None:
        for start in range(0, len(pixels), batch):
            part = pixels[start : start + batch]
            if len(part) < batch:
                part = np.resize(part, (batch, *part.shape[1:]))
            queue.start_async({0: part}, share_inputs=True)
        queue.wait_all()


class KerasModel:
    """What a user would log without aimonk, and how they would call it."""

    def __init__(self, folder: Path, size: tuple[int, int], outputs: int) -> None:
        import keras
        import mlflow

        inputs = keras.Input((*size, 3))
        backbone = keras.applications.ResNet50(include_top=False, weights=None, pooling="avg")
        dense = keras.layers.Dense(outputs, activation="sigmoid")
        network = keras.Model(inputs, dense(backbone(inputs, training=False)))
        mlflow.keras.save_model(network, str(folder))
        keras.utils.disable_interactive_logging()  # no progress bar
        self.size = size
        self.model = mlflow.pyfunc.load_model(str(folder))
        self.model.predict(np.zeros((BATCH, *size, 3), np.float32))  # traces

    def run(self, files: Sequence[Path]) -> float:
        """Images per second from files to probabilities."""

        def work() -> None:
            for start in range(0, len(files), BATCH):
                self.model.predict(self._pixels(files[start : start + BATCH]))

        return rate(len(files), work)

    def _pixels(self, paths: Sequence[Path]) -> np.ndarray:
        from keras.applications.resnet50 import preprocess_input

        height, width = self.size
        images = [np.asarray(Image.open(path).convert("RGB").resize((width, height))) for path in paths]
        return np.asarray(preprocess_input(np.stack(images).astype(np.float32)))
