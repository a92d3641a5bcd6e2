"""What runs a backbone's forward passes: Keras on any device, or OpenVINO on the CPU.

Both give the same vectors within `AGREEMENT` of the vectors' norm where OpenVINO computes in f32, and
within `BF16_LIMIT` more in bf16.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from ..errors import BackboneError, FeatureStoreError
from ..runtime.batch_size import batch_size
from ..runtime.crop_order import crop_first

if TYPE_CHECKING:
    import keras
    import openvino as ov

Tag = TypeVar("Tag")

AGREEMENT = 1e-3
"""Largest norm of the difference between two engines' f32 vectors, as a share of their norm."""

BF16_LIMIT = 0.01
"""Largest such share between bf16 and f32 with which bf16 is used."""

_GPU_NODES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What a driver of NVIDIA, AMD or the Windows subsystem for Linux puts there."""


class Engine(Protocol):
    """Turns pixels into vectors; `name` and `precision` are part of the feature store's key."""

    name: str
    precision: str
    batch: int
    """Images per call at which it is fast."""

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Turn `(N, H, W, 3) uint8` RGB of any N into `(N, D) float32`."""
        ...

    def stream(self, batches: Iterable[tuple[Tag, np.ndarray]]) -> Iterator[tuple[Tag, np.ndarray]]:
        """Do the same for batches of at most `batch` images while they are being made, in their order.

        At most a handful of batches is held at a time. Closing the iterator waits for those in flight.
        """
        ...


class KerasEngine:
    """Runs the Keras model on whatever device TensorFlow has, in f32.

    Args:
        model: `(N, H, W, 3) uint8 -> (N, D) float32`, from `build_backbone`.

    """

    name = "keras"
    precision = "f32"
    batch = 32

    def __init__(self, model: keras.Model) -> None:
        from ..backbones.build import import_keras

        import_keras()
        import tensorflow as tf

        signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)
        self._run = tf.function(lambda images: model(images, training=False), input_signature=[signature])

    def embed(self, images: np.ndarray) -> np.ndarray:
        """See `Engine.embed`."""
        return _in_batches(self, images)

    def stream(self, batches: Iterable[tuple[Tag, np.ndarray]]) -> Iterator[tuple[Tag, np.ndarray]]:
        """See `Engine.stream`. On a GPU the next batch is started before the last one is fetched."""
        running: tuple[Tag, Any] | None = None
        for tag, images in batches:
            result = self._run(images)
            if running is not None:
                yield running[0], running[1].numpy()
            running = tag, result
        if running is not None:
            yield running[0], running[1].numpy()


class OpenVINOEngine:
    """Runs a graph on the CPU, from its file on disk as a rule: no TensorFlow is loaded.

    Args:
        graph: path of the IR, or an `openvino.Model`, `(N, H, W, 3) uint8 -> (N, D) float32`.
        precision: `f32` or `bf16`; the features themselves are float32 in both.

    Raises:
        FeatureStoreError: the file cannot be read.
        BackboneError: the processor does not compute in that precision.

    """

    name = "openvino"

    def __init__(self, graph: Path | ov.Model, precision: str = "f32") -> None:
        import openvino as ov

        if precision == "bf16" and not has_bf16():
            raise BackboneError(
                "This processor has no bf16 arithmetic; set features.precision to f32 or leave it at auto."
            )
        self.precision = precision
        settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
        core = ov.Core()
        try:
            model = core.read_model(graph) if isinstance(graph, Path) else graph.clone()
            crop_first(model)
            self.batch = batch_size(model)
            # A fixed batch is computed 3% faster than one of any size, and gives an image the same bits
            # whatever it is batched with.
            model.reshape([self.batch, *list(model.inputs[0].get_partial_shape())[1:]])
            self._model = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            if not isinstance(graph, Path):
                raise
            remedy = f"delete the folder {graph.parent}"
            raise FeatureStoreError(f"The graph {graph} cannot be read; {remedy}.") from error
        # One request more than run at a time, so that no core waits for Python to bring the next batch.
        self._requests = int(self._model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")) + 1

    def embed(self, images: np.ndarray) -> np.ndarray:
        """See `Engine.embed`."""
        return _in_batches(self, images)

    def stream(self, batches: Iterable[tuple[Tag, np.ndarray]]) -> Iterator[tuple[Tag, np.ndarray]]:
        """See `Engine.stream`; a batch may have `self.batch` images at most."""
        # Plain requests, waited for in turn. AsyncInferQueue with a Python callback deadlocks now and then
        # (OpenVINO 2026.4): its destructor joins, with Python's lock held, a thread that waits for the lock.
        idle = [self._model.create_infer_request() for _ in range(self._requests)]
        running: deque[tuple[Tag, int, Any]] = deque()

        def finish() -> tuple[Tag, np.ndarray]:
            tag, count, request = running[0]
            request.wait()
            vectors = request.get_output_tensor(0).data[:count].copy()
            running.popleft()
            idle.append(request)
            return tag, vectors

        try:
            for tag, images in batches:
                if not idle:
                    yield finish()
                request = idle.pop()
                request.start_async({0: self._padded(images)})
                running.append((tag, len(images), request))
            while running:
                yield finish()
        finally:
            for _, _, request in running:
                request.wait()

    def _padded(self, images: np.ndarray) -> np.ndarray:
        """Fill a last, smaller batch up with its own images."""
        return images if len(images) == self.batch else np.resize(images, (self.batch, *images.shape[1:]))


def has_bf16() -> bool:
    """Whether this processor computes in bf16."""
    import openvino as ov

    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU; imports it only where the system has a driver for one."""
    if not any(Path(node).exists() for node in _GPU_NODES):
        return False
    from ..backbones.build import import_keras

    import_keras()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def relative_error(vectors: np.ndarray, reference: np.ndarray) -> float:
    """Frobenius norm `|vectors - reference| / |reference|`; inf where that is not defined."""
    norm = float(np.linalg.norm(reference.astype(np.float64)))
    error = float(np.linalg.norm(vectors.astype(np.float64) - reference))
    return error / norm if norm > 0.0 and np.isfinite(error) else float("inf")


def _in_batches(engine: Engine, images: np.ndarray) -> np.ndarray:
    batches = ((None, images[start : start + engine.batch]) for start in range(0, len(images), engine.batch))
    return np.concatenate([vectors for _, vectors in engine.stream(batches)])


def rate(engine: Engine, images: np.ndarray) -> float:
    """Images per second of one pass over these, after one that traces and compiles."""
    engine.embed(images)
    begin = time.perf_counter()
    engine.embed(images)
    return len(images) / (time.perf_counter() - begin)
