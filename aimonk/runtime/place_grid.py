"""From values at the positions of a map to sums over the cells of a grid on the image."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from .pooled_terms import WHOLE, Window


def to_grid(values: np.ndarray, window: Window, grid: tuple[int, int]) -> np.ndarray:
    """Share out values over the cells that their positions cover, by area. Their sum stays the same.

    Args:
        values: `(N, h, w, C)`.
        window: the part of the image that the positions cover, evenly.
        grid: rows and columns of the grid on the whole image.

    Returns:
        `(N, rows, columns, C) float32`.

    >>> to_grid(np.ones((1, 4, 4, 1)), (0.0, 0.0, 1.0, 1.0), (2, 2))[0, :, :, 0].tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    count, height, width, channels = values.shape
    rows, columns = grid
    if window == WHOLE and height % rows == width % columns == 0:  # whole blocks: no products
        blocks = values.reshape(count, rows, height // rows, width, channels).sum(axis=2)
        return np.asarray(blocks.reshape(count, rows, columns, width // columns, channels).sum(axis=3))
    down = _shares(height, rows, window[0], window[2])
    across = _shares(width, columns, window[1], window[3])
    wide = np.matmul(across, values.reshape(count * height, width, channels))
    wide = wide.reshape(count, height, columns * channels)
    return np.asarray(np.matmul(down, wide).reshape(count, rows, columns, channels))


@lru_cache(maxsize=64)
def _shares(positions: int, cells: int, start: float, stop: float) -> np.ndarray:
    """`(cells, positions) float32`: shares of each position's extent in the cells; columns add to 1."""
    edges = start + (stop - start) * np.arange(positions + 1) / positions
    borders = np.arange(cells + 1) / cells
    low = np.maximum(edges[None, :-1], borders[:-1, None])
    high = np.minimum(edges[None, 1:], borders[1:, None])
    overlap = np.maximum(high - low, 0)
    return np.asarray(overlap / overlap.sum(axis=0), np.float32)


def rows_and_columns(places: int, size: tuple[int, int]) -> tuple[int, int]:
    """How many rows and columns so many places in a row form, on an image of this height and width.

    >>> rows_and_columns(12, (400, 300))
    (4, 3)
    """
    ratio = size[0] / size[1]
    fits = [(rows, places // rows) for rows in range(1, places + 1) if places % rows == 0]
    return min(fits, key=lambda fit: abs(math.log(fit[0] / fit[1] / ratio)))
