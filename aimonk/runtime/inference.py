"""One OpenVINO graph, compiled either for the soonest answer to one image or for many images a second."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import LifoQueue
from typing import Any

import numpy as np

from .batch_size import batch_size
from .crop_order import crop_first
from .record import GRAPH, PackageInfo
from .user_errors import ModelError

BATCH = 8
"""Images per inference, at most. On a CPU larger batches are no faster, and ResNet50's activations take
13 MB (f32) per image."""

_first_use = threading.Lock()
"""OpenVINO 2026.4 hangs when two threads convert their first arrays at once: one fills a C++ static and
waits for the GIL, which the other holds while it waits for the static. So the first one is done alone."""


class CompiledGraph:
    """A graph ready to run, with as many infer requests as run well side by side. Thread-safe.

    Args:
        graph: an `openvino.Model`, `(N, H, W, 3) uint8 -> (N, L) float32`; left as it is.
        info: the package's record, which names precision and input size.
        throughput: schedule for many images rather than for the soonest answer to one.
    """

    def __init__(self, graph: Any, info: PackageInfo, *, throughput: bool) -> None:
        import openvino

        graph = graph.clone()
        crop_first(graph)
        self.batch = batch_size(graph) if throughput else BATCH
        """Images per inference, at most."""
        if throughput:
            graph.reshape([self.batch, *info.input_size, 3])  # 2% faster than a batch of any size
        self._fixed = throughput
        hint = "THROUGHPUT" if throughput else "LATENCY"
        settings = {"INFERENCE_PRECISION_HINT": info.precision, "PERFORMANCE_HINT": hint}
        compiled = openvino.Core().compile_model(graph, "CPU", settings)
        self.streams = max(2, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        """Inferences that should be in flight together."""
        self._requests: LifoQueue[Any] = LifoQueue()
        for _ in range(self.streams):
            self._requests.put(compiled.create_infer_request())
        with _first_use:
            self.infer(np.zeros((1, *info.input_size, 3), np.uint8))

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """`(N, H, W, 3) uint8` of at most `batch` images to `(N, L) float32`."""
        short = self._fixed and len(batch) < self.batch
        images = np.resize(batch, (self.batch, *batch.shape[1:])) if short else batch
        request = self._requests.get()
        try:
            return np.array(request.infer({0: images}, share_inputs=True)[0][: len(batch)])
        finally:
            self._requests.put(request)


def read_graph(folder: Path, info: PackageInfo) -> Any:
    """Read a package's graph as an `openvino.Model`. Weights are memory-mapped: processes share them.

    Raises:
        ModelError: the graph cannot be read, or its shapes are not those of the record.
    """
    import openvino

    try:
        graph = openvino.Core().read_model(folder / GRAPH)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"The graph {folder / GRAPH} cannot be read ({first}); fetch the package again."
        ) from None
    expected = f"[?,{info.input_size[0]},{info.input_size[1]},3]", f"[?,{len(info.attributes)}]"
    found = tuple(str(port.get_partial_shape()) for port in (graph.input(0), graph.output(0)))
    if found != expected:
        raise ModelError(
            f"The graph in {folder} maps {' to '.join(found)}, its record says {' to '.join(expected)}."
        )
    return graph
