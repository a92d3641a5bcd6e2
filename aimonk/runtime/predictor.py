"""Encoded images in, attributes out: one OpenVINO graph and the one decoder. Shipped inside every package.

No TensorFlow, no MLflow, no pandas: this module, `info`, the decoder and the errors are all that a
server runs.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import LifoQueue
from typing import Any

import numpy as np

from .decoder import decode
from .errors import ImagesError, ModelError
from .record import GRAPH, PackageInfo, read_info

BATCH = 8
"""Images per inference. On a CPU larger batches are no faster, and ResNet50's activations take
13 MB (f32) per image."""

_first_use = threading.Lock()
"""OpenVINO 2026.4 hangs when two threads convert their first arrays at once: one fills a C++ static and
waits for the GIL, which the other holds while it waits for the static. So the first one is done alone."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one image; `probabilities` is empty when `error` says why it could not be read."""

    predicted_attributes: tuple[str, ...]
    probabilities: tuple[float, ...]
    """Per attribute, in the package's order."""
    error: str | None = None


class Predictor:
    """A loaded model package. Any number of threads may call it at once.

    Args:
        folder: a model package, see `package.write_package`.
        throughput: schedule for many images rather than for the soonest answer to one.

    Raises:
        ModelError: the package is absent or broken, see `read_info`; or its graph does not fit its record.
    """

    def __init__(self, folder: Path, *, throughput: bool = False) -> None:
        self.info = read_info(folder)
        self._fixed = throughput
        compiled = _compile(folder, self.info, throughput)
        self._thresholds = np.array([attribute.threshold for attribute in self.info.attributes])
        self._workers = (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )
        self._requests: LifoQueue[Any] = LifoQueue()
        for _ in range(max(2, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))):
            self._requests.put(compiled.create_infer_request())
        self._decoders = ThreadPoolExecutor(self._workers, thread_name_prefix="decode")
        self._streams = ThreadPoolExecutor(self._requests.qsize(), thread_name_prefix="infer")
        with _first_use:
            self._infer(np.zeros((1, *self.info.input_size, 3), np.uint8))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """`(N, H, W, 3) uint8` RGB of the package's input size to `(N, L) float32`, in batches."""
        parts = [self._infer(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.info.attributes)), np.float32)

    def predict(self, images: Sequence[bytes | Path]) -> tuple[Prediction, ...]:
        """Answer each image, in order. One that cannot be read has an `error`; the others are answered."""
        if len(images) == 1:  # the common request: no hop between threads
            return tuple(self._answer([self._decode(images[0])]))
        return tuple(self.stream(images))

    def stream(self, images: Iterable[bytes | Path]) -> Iterator[Prediction]:
        """Answer for any number of images, in order, in bounded memory.

        Decoding, inference and whatever the consumer does between two answers overlap: decoders work on
        the next images while the current batches are inferred.
        """
        source = iter(images)
        lined_up = self._streams._max_workers + 1  # one more than run at a time: no core waits for Python
        ahead = BATCH * (lined_up + 1)
        decoding = deque(self._submit(islice(source, ahead)))
        inferring: deque[Future[list[Prediction]]] = deque()
        while decoding or inferring:
            while decoding and len(inferring) < lined_up:
                batch = [decoding.popleft().result() for _ in range(min(BATCH, len(decoding)))]
                inferring.append(self._streams.submit(self._answer, batch))
                decoding.extend(self._submit(islice(source, BATCH)))
            yield from inferring.popleft().result()

    def _submit(self, images: Iterable[bytes | Path]) -> list[Future[np.ndarray | ImagesError]]:
        return [self._decoders.submit(self._decode, image) for image in images]

    def _decode(self, image: bytes | Path) -> np.ndarray | ImagesError:
        """`(H, W, 3) uint8`, or the reason why not."""
        try:
            return decode(image.read_bytes() if isinstance(image, Path) else image, self.info.input_size)
        except ImagesError as error:
            return error
        except OSError as error:
            return ImagesError(f"the file cannot be read: {error.strerror or error}")

    def _answer(self, images: list[np.ndarray | ImagesError]) -> list[Prediction]:
        """Infer the decoded images of one batch; put the errors back where they were."""
        good = [image for image in images if not isinstance(image, ImagesError)]
        # tanh, since exp(-x) overflows for very negative logits
        probabilities = (
            0.5 * (1.0 + np.tanh(0.5 * self._infer(np.stack(good)).astype(np.float64))) if good else ()
        )
        rows = iter(probabilities)
        return [
            Prediction((), (), str(image)) if isinstance(image, ImagesError) else self._prediction(next(rows))
            for image in images
        ]

    def _prediction(self, probabilities: np.ndarray) -> Prediction:
        present = np.flatnonzero(probabilities >= self._thresholds)
        return Prediction(tuple(self.info.names[index] for index in present), tuple(probabilities.tolist()))

    def _infer(self, batch: np.ndarray) -> np.ndarray:
        """`(N, H, W, 3) uint8` of at most `BATCH` images to `(N, L) float32`."""
        images = np.resize(batch, (BATCH, *batch.shape[1:])) if self._fixed and len(batch) < BATCH else batch
        request = self._requests.get()
        try:
            return np.array(request.infer({0: images}, share_inputs=True)[0][: len(batch)])
        finally:
            self._requests.put(request)


def _compile(folder: Path, info: PackageInfo, throughput: bool) -> Any:
    """The graph, ready to run. Weights are memory-mapped, so several processes share them."""
    import openvino

    core = openvino.Core()
    try:
        graph = core.read_model(folder / GRAPH)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"The graph {folder / GRAPH} cannot be read ({first}); fetch the package anew."
        ) from None
    expected = f"[?,{info.input_size[0]},{info.input_size[1]},3]", f"[?,{len(info.attributes)}]"
    if (
        found := tuple(str(port.get_partial_shape()) for port in (graph.input(0), graph.output(0)))
    ) != expected:
        raise ModelError(
            f"The graph in {folder} maps {' to '.join(found)}, its record says {' to '.join(expected)}."
        )
    if throughput:
        graph.reshape([BATCH, *info.input_size, 3])  # 2% faster than a batch of any size
    hint = "THROUGHPUT" if throughput else "LATENCY"
    return core.compile_model(
        graph, "CPU", {"INFERENCE_PRECISION_HINT": info.precision, "PERFORMANCE_HINT": hint}
    )
