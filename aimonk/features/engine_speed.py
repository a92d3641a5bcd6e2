"""How many images a second this processor can embed, measured on a network that needs no weights file.

The network has the layers of MobileNet at width 0.25 (Howard et al. 2017, "MobileNets: Efficient
convolutional neural networks for mobile vision applications", table 1) on 224 pixels, with random weights:
the time of a forward pass does not depend on what the weights are. It runs in the same engine as a backbone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .engines import OpenVINOEngine

if TYPE_CHECKING:
    import openvino as ov

SIDE = 224
"""Height and width of the images in pixels."""
FIRST_CHANNELS = 8
BLOCKS = (
    *((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)),
    *((128, 1), (128, 1), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1)),
)
"""(output channels, stride) of each depthwise separable block."""


def images_per_second(precision: str = "f32", seconds: float = 1.5) -> float:
    """Measure the throughput of forward passes, decoding not included.

    Args:
        precision: `f32` or `bf16`.
        seconds: how long to measure, after a warm-up.

    Raises:
        BackboneError: the processor does not compute in that precision.
    """
    engine = OpenVINOEngine(small_network(), precision)
    images = np.random.default_rng(0).integers(0, 256, (engine.batch, SIDE, SIDE, 3), dtype=np.uint8)
    engine.embed(images)
    started = time.perf_counter()

    def batches() -> Iterator[tuple[None, np.ndarray]]:
        while time.perf_counter() - started < seconds:
            yield None, images

    done = sum(len(vectors) for _, vectors in engine.stream(batches()))
    return done / (time.perf_counter() - started)


def small_network() -> ov.Model:
    """Build the network: `(N, 224, 224, 3) uint8 -> (N, 256) float32`."""
    import openvino as ov
    from openvino import opset13 as op

    generator = np.random.default_rng(0)

    def kernel(*shape: int) -> np.ndarray:
        # He's initialization keeps activations at the same scale from layer to layer.
        return generator.normal(0, np.sqrt(2 / np.prod(shape[-3:])), shape).astype(np.float32)

    def convolve(x: ov.Node, channels: int, size: int, stride: int) -> ov.Node:
        kernels = kernel(channels, x.get_output_partial_shape(0)[1].get_length(), size, size)
        return op.relu(
            op.convolution(x, kernels, [stride, stride], [0, 0], [0, 0], [1, 1], auto_pad="same_upper")
        )

    def convolve_depthwise(x: ov.Node, stride: int) -> ov.Node:
        kernels = kernel(x.get_output_partial_shape(0)[1].get_length(), 1, 1, 3, 3)
        return op.relu(
            op.group_convolution(x, kernels, [stride, stride], [0, 0], [0, 0], [1, 1], auto_pad="same_upper")
        )

    pixels = op.parameter([-1, SIDE, SIDE, 3], ov.Type.u8)
    scaled = op.divide(op.convert(pixels, ov.Type.f32), np.float32(255))
    x = convolve(op.transpose(scaled, [0, 3, 1, 2]), FIRST_CHANNELS, 3, 2)
    for channels, stride in BLOCKS:
        x = convolve(convolve_depthwise(x, stride), channels, 1, 1)
    return ov.Model([op.reduce_mean(x, [2, 3], keep_dims=False)], [pixels], "small")
