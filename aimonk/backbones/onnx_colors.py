"""The color histogram in OpenVINO's operations, for networks that are not Keras models."""

from __future__ import annotations

from typing import Any

import numpy as np

from .color_histogram import (
    GRID,
    KNEE,
    SMALLEST_SHARE,
    WHITE,
    XYZ,
    attention_prior,
    cell_size,
    palette_scores,
)


def onnx_colors(ops: Any, pixels: Any, positions: tuple[int, int] | None) -> Any:
    """Roots of the palette's shares in the middle of the image, `(N, K) float32`.

    Args:
        ops: OpenVINO's opset.
        pixels: `(N, H, W, 3) uint8` RGB.
        positions: rows and columns of the network's last map; None where it has none.
    """
    rows, columns = positions or GRID
    height, width = (int(axis.get_length()) for axis in list(pixels.get_output_partial_shape(0))[1:3])
    planes = ops.transpose(ops.convert(pixels, np.float32), [0, 3, 1, 2])
    cells = _average(ops, planes, cell_size(height, width, rows, columns))
    factors, offsets = palette_scores()
    scores: Any = ops.constant(-offsets[None, :, None, None])
    for channel, factor in zip(_lab(ops, cells), factors, strict=True):
        scores = ops.add(scores, ops.multiply(channel, ops.constant(factor[None, :, None, None])))
    shares = ops.softmax(scores, 1)
    counts = [int(axis.get_length()) for axis in list(shares.get_output_partial_shape(0))[2:]]
    shares = _average(ops, shares, (counts[0] // rows, counts[1] // columns))
    bounds = [ops.constant(np.array(bound)) for bound in ([0, 0], [rows, columns], [1, 1], [2, 3])]
    shares = ops.slice(shares, *bounds)
    prior = np.exp(attention_prior(rows, columns))
    weights = ops.constant((prior / prior.sum()).astype(np.float32)[None, None])
    seen = ops.reduce_sum(ops.multiply(shares, weights), [2, 3], False)
    return ops.sqrt(ops.add(seen, _number(ops, SMALLEST_SHARE)))


def _lab(ops: Any, rgb: Any) -> tuple[Any, Any, Any]:
    """L*, a* and b*, each `(N, 1, h, w)`, of `(N, 3, h, w)` sRGB from 0 to 255: see `color_histogram.lab`."""
    value = ops.multiply(rgb, _number(ops, 1 / 255))
    curve = ops.power(
        ops.multiply(ops.add(value, _number(ops, 0.055)), _number(ops, 1 / 1.055)), _number(ops, 2.4)
    )
    dark = ops.multiply(value, _number(ops, 1 / 12.92))
    linear = ops.select(ops.less_equal(value, _number(ops, 0.04045)), dark, curve)

    def f(row: tuple[float, float, float], white: float) -> Any:
        shares = ops.constant(np.array(row, np.float32)[None, :, None, None] / np.float32(white))
        t = ops.reduce_sum(ops.multiply(linear, shares), [1], True)
        line = ops.add(ops.multiply(t, _number(ops, 1 / (3 * KNEE**2))), _number(ops, 4 / 29))
        knee = _number(ops, KNEE**3)
        root = ops.power(ops.maximum(t, knee), _number(ops, 1 / 3))
        return ops.select(ops.greater(t, knee), root, line)

    x, y, z = (f(row, white) for row, white in zip(XYZ, WHITE, strict=True))
    lightness = ops.subtract(ops.multiply(y, _number(ops, 116)), _number(ops, 16))
    a = ops.multiply(ops.subtract(x, y), _number(ops, 500))
    b = ops.multiply(ops.subtract(y, z), _number(ops, 200))
    return lightness, a, b


def _average(ops: Any, planes: Any, size: tuple[int, int]) -> Any:
    """Means over blocks that do not overlap; what is left over at the right and below is not read."""
    return ops.avg_pool(planes, list(size), [0, 0], [0, 0], list(size), True)


def _number(ops: Any, value: float) -> Any:
    return ops.constant(np.float32(value))
