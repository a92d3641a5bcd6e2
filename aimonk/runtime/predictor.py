"""Encoded images in, attributes out: one OpenVINO graph and the one decoder. Shipped inside every package.

No TensorFlow, no MLflow, no pandas: this folder is all that a server runs.
"""

from __future__ import annotations

import dataclasses
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from types import TracebackType

import numpy as np

from .contributions import Contributions, Explainer
from .decode_limits import SERVING, TRAINING
from .decoder import decode
from .explained_prediction import ExplainedPrediction, explanations
from .heap import keep_heap_small
from .image_file import read_image_file
from .inference import BATCH, CompiledGraph, read_graph
from .package_digests import check_digests, package_digest
from .prediction import Prediction
from .processors import usable_processors
from .record import read_info
from .request_limits import BusyError
from .user_errors import ImagesError

__all__ = ["BATCH", "MANY", "Predictor"]

MANY = 8 * BATCH
"""Images from which on it pays to compile the graph a second time, for throughput."""

Source = bytes | Path | ImagesError
"""An encoded image, the file it lies in, or the reason why there is none."""


class Predictor:
    """A loaded model package. Any number of threads may call it at once.

    A few images are answered by a graph compiled for latency. From `MANY` on they are answered by one
    compiled for throughput, which is made when it is first needed and shares the mapped weights.

    Args:
        folder: a model package, see `aimonk.serving.package.write_package`.
        throughput: compile only for many images, right away.
        served: take images from anybody: only common formats, and no more pixels than the package's limit.

    Raises:
        ModelError: the package is absent, broken, or not as it was written.

    >>> with Predictor(folder) as predictor:
    ...     (answer,) = predictor.predict([Path("dress.jpg")])
    """

    def __init__(self, folder: Path, *, throughput: bool = False, served: bool = False) -> None:
        self.info, self._folder = read_info(folder), folder
        kind, pixels = (
            (SERVING, self.info.limits.pixels_per_image) if served else (TRAINING, self.info.max_pixels)
        )
        self._decode_limits = dataclasses.replace(kind, max_pixels=pixels)
        check_digests(folder)
        self.digest = package_digest(folder)
        self._graph = read_graph(folder, self.info)
        self._compiling = threading.Lock()
        self._for_many: CompiledGraph | None = None
        self._explaining = threading.Lock()
        self._explainer: Explainer | None = None
        self._for_few = (
            self._many() if throughput else CompiledGraph(self._graph, self.info, throughput=False)
        )
        self._thresholds = np.array([attribute.threshold for attribute in self.info.attributes])
        cores = usable_processors()
        if served:
            keep_heap_small(arenas=cores)
        self._decoding = threading.BoundedSemaphore(cores)  # also for callers' own threads
        self._decoders = ThreadPoolExecutor(cores, thread_name_prefix="decode")
        # One batch more than runs at a time, so that no core waits for Python.
        self._ahead = 1 + max(self._for_few.streams, cores)
        self._streams = ThreadPoolExecutor(self._ahead, thread_name_prefix="infer")
        self._closing = threading.Event()
        self._finalizer = weakref.finalize(self, _shut_down, self._decoders, self._streams)

    def close(self) -> None:
        """End the threads. Answers in progress end with BusyError after their present batch."""
        self._closing.set()
        self._finalizer()

    def __enter__(self) -> Predictor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def logits(self, images: np.ndarray) -> np.ndarray:
        """`(N, H, W, 3) uint8` RGB of the package's input size to `(N, L) float32`, in batches."""
        graph = self._many() if len(images) >= MANY else self._for_few
        starts = range(0, len(images), graph.batch)
        parts = [graph.infer(images[start : start + graph.batch]) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, len(self.info.attributes)), np.float32)

    def predict(self, images: Sequence[Source]) -> tuple[Prediction, ...]:
        """Answer each image, in order. One that cannot be read has an `error`; the others are answered.

        Raises:
            BusyError: the predictor is closed.
        """
        if len(images) == 1:  # the common request: no hop between threads
            self._check_open()
            return tuple(self._answer(self._for_few, [self._decode(images[0])]))
        return tuple(self.stream(images))

    def stream(self, images: Iterable[Source]) -> Iterator[Prediction]:
        """Answer any number of images, in order, in bounded memory.

        Decoding, inference and whatever the consumer does between two answers overlap: decoders work on
        the next images while the current batches are inferred.

        Raises:
            BusyError: the predictor is closed, or is closed meanwhile.
        """
        try:
            yield from self._stream(iter(images))
        except (CancelledError, RuntimeError):
            self._check_open()
            raise

    def _stream(self, source: Iterator[Source]) -> Iterator[Prediction]:
        head = list(islice(source, MANY))
        graph = self._many() if len(head) == MANY else self._for_few
        source = chain(head, source)
        lined_up = min(graph.streams + 1, self._ahead)
        self._check_open()
        decoding = deque(self._submit(islice(source, BATCH * (lined_up + 1))))
        inferring: deque[Future[list[Prediction]]] = deque()
        while decoding or inferring:
            while decoding and len(inferring) < lined_up:
                batch = [decoding.popleft().result() for _ in range(min(graph.batch, len(decoding)))]
                self._check_open()
                inferring.append(self._streams.submit(self._answer, graph, batch))
                decoding.extend(self._submit(islice(source, graph.batch)))
            yield from inferring.popleft().result()

    def explain(self, images: Iterable[Source]) -> Iterator[ExplainedPrediction]:
        """Answer images as `predict` does, each with where its evidence lies, one at a time.

        The first call reads the graph once more, with the inner maps as outputs. Probabilities come from
        that graph and differ from those of `predict` by rounding alone.

        Raises:
            ModelError: the model's logits cannot be taken apart.
            BusyError: the predictor is closed.
        """
        for image in images:
            self._check_open()
            pixels = self._decode(image)
            if isinstance(pixels, ImagesError):
                yield ExplainedPrediction(Prediction((), (), str(pixels)))
                continue
            found = self._contributions(pixels)
            prediction = self._prediction(probabilities_of(found.logits))
            yield ExplainedPrediction(prediction, () if prediction.error else explanations(found, self.info))

    def _contributions(self, pixels: np.ndarray) -> Contributions:
        with self._explaining:  # an explainer has one inference request
            if self._explainer is None:
                self._explainer = Explainer(self._folder)
            return self._explainer.contributions(pixels[None])[0]

    def _many(self) -> CompiledGraph:
        with self._compiling:
            if self._for_many is None:
                self._for_many = CompiledGraph(self._graph, self.info, throughput=True)
            return self._for_many

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise BusyError("The model is being shut down; send the request again.")

    def _submit(self, images: Iterable[Source]) -> list[Future[np.ndarray | ImagesError]]:
        return [self._decoders.submit(self._decode, image) for image in images]

    def _decode(self, image: Source) -> np.ndarray | ImagesError:
        """`(H, W, 3) uint8`, or the reason why not."""
        if isinstance(image, ImagesError):
            return image
        try:
            data = read_image_file(image, self._decode_limits)[0] if isinstance(image, Path) else image
            with self._decoding:
                return decode(data, self.info.input_size, self._decode_limits)
        except ImagesError as error:
            return error
        except MemoryError:
            return ImagesError("the image takes more memory than there is")

    def _answer(self, graph: CompiledGraph, images: list[np.ndarray | ImagesError]) -> list[Prediction]:
        """Infer the decoded images of one batch; put the errors back where they were."""
        good = [image for image in images if not isinstance(image, ImagesError)]
        rows = iter(probabilities_of(graph.infer(np.stack(good)))) if good else iter(())
        return [
            Prediction((), (), str(image)) if isinstance(image, ImagesError) else self._prediction(next(rows))
            for image in images
        ]

    def _prediction(self, probabilities: np.ndarray) -> Prediction:
        if not np.isfinite(probabilities).all():
            return Prediction((), (), "the model gives no finite probabilities for this image")
        present = np.flatnonzero(probabilities >= self._thresholds)
        return Prediction(tuple(self.info.names[index] for index in present), tuple(probabilities.tolist()))


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """`float64`; by tanh, since exp(-x) overflows for very negative logits.

    >>> probabilities_of(np.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64))))


def _shut_down(*pools: ThreadPoolExecutor) -> None:
    for pool in pools:
        pool.shutdown(wait=False, cancel_futures=True)
