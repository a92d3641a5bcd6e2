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
    cell = cell_size(height, width, rows, columns)
    place = height // cell[0] // rows, width // cell[1] // columns
    lines, across = rows * place[0], columns * place[1]
    bounds = [
        ops.constant(np.array(b)) for b in ([0, 0], [lines * cell[0], across * cell[1]], [1, 1], [1, 2])
    ]
    seen = ops.convert(ops.slice(pixels, *bounds), np.float32)
    cells = _block_means(ops, seen, lines, across, cell, 3)
    factors, offsets = palette_scores()
    scores: Any = ops.constant(-offsets[None, None])
    for channel, factor in zip(_lab(ops, ops.transpose(cells, [0, 2, 1])), factors, strict=True):
        # Reshaped, so that OpenVINO does not compute the channel anew for each color of the palette.
        column = ops.reshape(channel, [-1, lines * across, 1], False)
        scores = ops.add(scores, ops.multiply(column, ops.constant(factor[None, None])))
    shares = _block_means(ops, ops.softmax(scores, 2), rows, columns, place, len(offsets))
    prior = np.exp(attention_prior(rows, columns))
    weights = ops.constant((prior / prior.sum()).astype(np.float32).reshape(1, -1, 1))
    return ops.sqrt(
        ops.add(ops.reduce_sum(ops.multiply(shares, weights), [1], False), _number(ops, SMALLEST_SHARE))
    )


def _lab(ops: Any, rgb: Any) -> tuple[Any, Any, Any]:
    """L*, a* and b*, each `(N, 1, n)`, of `(N, 3, n)` sRGB from 0 to 255: see `color_histogram.lab`."""
    value = ops.multiply(rgb, _number(ops, 1 / 255))
    curve = ops.power(
        ops.multiply(ops.add(value, _number(ops, 0.055)), _number(ops, 1 / 1.055)), _number(ops, 2.4)
    )
    dark = ops.multiply(value, _number(ops, 1 / 12.92))
    linear = ops.select(ops.less_equal(value, _number(ops, 0.04045)), dark, curve)

    def f(row: tuple[float, float, float], white: float) -> Any:
        shares = ops.constant(np.array(row, np.float32)[None, :, None] / np.float32(white))
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


def _block_means(ops: Any, values: Any, rows: int, columns: int, size: tuple[int, int], channels: int) -> Any:
    """See `color_histogram._block_means`."""
    down = ops.reshape(values, [-1, rows, size[0], columns * size[1] * channels], False)
    across = ops.reshape(ops.reduce_mean(down, [2], False), [-1, rows * columns, size[1], channels], False)
    return ops.reduce_mean(across, [2], False)


def _number(ops: Any, value: float) -> Any:
    return ops.constant(np.float32(value))
