"""The maps of a backbone at each of its scales: what it sees of color and texture before it sees things.

The last map of each scale is taken, as in Lin, Dollar, Girshick, He, Hariharan and Belongie, "Feature Pyramid
Networks for Object Detection", CVPR 2017.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import openvino as ov

KERAS_PADDING = "ZeroPadding2D"
"""Class of layers whose output is the map before them with a border, of no use as a map."""

NO_MAPS = ("Pad", "Softmax", "MatMul")
"""OpenVINO's operations that do not make maps: borders, and the attention of transformers."""

TOLERANCE = 0.3
"""How far the logarithm of a scale may be from a whole number, since some convolve without padding."""


def keras_pyramid(network: keras.Model) -> dict[int, keras.KerasTensor]:
    """The last map at 1/2, 1/4, ... of the image's height, by the logarithm of the scale, finest first.

    Each is `(N, h, w, C)`. A scale at which the network has no map is left out.
    """
    side = network.input.shape[1]
    last: dict[int, keras.KerasTensor] = {}
    for layer in network.layers:
        tensor = layer.output
        if isinstance(tensor, list) or len(tensor.shape) != 4 or type(layer).__name__ == KERAS_PADDING:
            continue
        scale = round(math.log2(side / tensor.shape[1]))
        if scale >= 1:
            last[scale] = tensor
    return dict(sorted(last.items()))


def onnx_pyramid(graph: ov.Model, pixels: Any, size: tuple[int, int]) -> dict[int, ov.Output]:
    """The same of an OpenVINO graph with known shapes, each `(N, C, h, w)`.

    The last map of a scale is the one that most operations in a row lead to.

    Args:
        graph: the network.
        pixels: its image input.
        size: height and width in pixels of the image.
    """
    batch = pixels.get_partial_shape()[0].get_length()
    depths: dict[str, int] = {pixels.get_name(): 0}
    last: dict[int, tuple[int, ov.Output]] = {}
    for node in graph.get_ordered_ops():
        before = [depths.get(value.get_node().get_name(), -1) for value in node.input_values()]
        if max(before, default=-1) < 0:
            continue
        depth = depths[node.get_name()] = 1 + max(before)
        if node.get_type_name() in (*NO_MAPS, "Result") or node.get_output_size() != 1:
            continue
        scale = _scale(node.output(0), size, batch)
        if scale is not None and depth >= last.get(scale, (0, None))[0]:
            last[scale] = depth, node.output(0)
    return {scale: output for scale, (_, output) in sorted(last.items())}


def _scale(output: ov.Output, size: tuple[int, int], batch: int) -> int | None:
    """The logarithm of how many pixels a position has along each side; None if it is no map."""
    shape = output.get_partial_shape()
    if shape.is_dynamic or len(shape) != 4 or not output.get_element_type().is_real():
        return None
    sides = [int(axis.get_length()) for axis in list(shape)[2:]]
    # A vector (n, c, 1, 1), as squeeze-and-excitation has it, may lie at the scale of a tiny image.
    if shape[0].get_length() != batch or sides == [1, 1]:
        return None
    return scale_of(sides, size)


def scale_of(sides: Sequence[int], size: tuple[int, int]) -> int | None:
    """The logarithm to base 2 of the pixels per position, from 1; None where height and width disagree.

    >>> scale_of((7, 7), (224, 224))
    5
    """
    logs = [math.log2(pixels / positions) for pixels, positions in zip(size, sides, strict=True)]
    scale = round(logs[0])
    return scale if scale >= 1 and all(abs(log - scale) <= TOLERANCE for log in logs) else None
