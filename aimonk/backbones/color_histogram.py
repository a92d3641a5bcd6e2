"""Which colors an image has, as shares of a palette: a backbone's last map hardly keeps them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

ATTENTION = "attention"
"""Prefix of the names of the layers that attend to a place, the only ones here with weights."""

LIGHTNESS = (8, 20, 32, 44, 56, 68, 80, 92)
RINGS = ((0, 1), (10, 6), (25, 8), (50, 10))
"""Chroma, and how many hues of it: close together near gray, where most of the world's colors are."""

SOFTNESS = 10.0
"""Distance in Lab over which a color counts for its neighbors in the palette too."""

CELLS = 4
"""Pixels are averaged to about so many cells along each side of a position of the last map."""

MIDDLE = 1 / 3
"""Share of the height and of the width that is attended to before anything is learned."""

UNLIKE = 0.02
"""Standard deviation of the initial weights of all places but the first: equal ones would stay equal."""

FALL = 50.0
"""How fast the logarithm of the attention falls outside the middle, per height or width."""

SMALLEST_SHARE = 1e-3
"""Added before the root, whose slope at 0 would magnify a single pixel."""

WHITE = (0.9505, 1.0, 1.089)
"""CIE XYZ of D65, the white of sRGB."""

XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
"""From linear sRGB, IEC 61966-2-1."""

KNEE = 6 / 29
"""Where the cube root of L*a*b* gives way to a straight line, as the root."""

GRID = (12, 12)
"""Rows and columns that colors are seen in where a network has no map."""


def color_histogram(
    keras: Any, pixels: keras.KerasTensor, maps: keras.KerasTensor | None, places: int
) -> list[keras.KerasTensor]:
    """Roots of the palette's shares, `(N, K)`, in each of so many places that are attended to.

    A share is the mean over cells of `softmax(-d^2 / (2 SOFTNESS^2))`, where d is the distance in CIE 1976
    L*a*b* to the palette's colors. Roots turn Euclidean distances into Hellinger's. After Swain and Ballard,
    "Color Indexing", IJCV 1991, with soft bins as in van de Weijer, Schmid, Verbeek and Larlus, "Learning
    Color Names for Real-World Applications", TIP 2009.

    Attention is `softmax(prior + maps . v)` over the positions of the last map (Girdhar and Ramanan,
    "Attentional Pooling for Action Recognition", NIPS 2017). Before fine-tuning v is 0, or nearly so, which
    leaves the prior: the middle.

    The layers are saved without code. The shares are float32 at any precision: under a bf16 hint OpenVINO
    computes in bf16 only what leads to a matrix product, and no such product follows here.

    Args:
        keras: the module.
        pixels: `(N, H, W, 3) uint8` RGB.
        maps: last map of the backbone, `(N, h, w, C)`; without one the prior stands in a grid of `GRID`.
        places: how many places to attend to; without a map they would all be the same one.
    """
    ops = keras.ops
    rows, columns = GRID if maps is None else maps.shape[1:3]
    shares = _shares(ops, pixels, rows, columns)
    prior = attention_prior(rows, columns)

    def seen(place: int) -> keras.KerasTensor:
        scores = ops.convert_to_tensor(prior[None])
        if maps is not None:
            start = keras.initializers.RandomNormal(0, UNLIKE, seed=place) if place else "zeros"
            attend = keras.layers.Conv2D(
                1, 1, use_bias=False, kernel_initializer=start, name=f"{ATTENTION}_{place}"
            )
            scores = ops.cast(attend(maps)[..., 0], "float32") + prior
        weights = ops.softmax(ops.reshape(scores, (-1, rows * columns, 1)), axis=1)
        return ops.sqrt(ops.sum(weights * shares, axis=1) + SMALLEST_SHARE)

    return [seen(place) for place in range(places)]


def attention_prior(rows: int, columns: int) -> np.ndarray:
    """`(rows, columns) float32`: logarithm of the attention, 0 in the middle and falling outside."""

    def outside(length: int) -> np.ndarray:
        return np.maximum(np.abs((np.arange(length) + 0.5) / length - 0.5) - MIDDLE / 2, 0)

    return np.asarray(-FALL * (outside(rows)[:, None] + outside(columns)), np.float32)


def _shares(ops: Any, pixels: keras.KerasTensor, rows: int, columns: int) -> keras.KerasTensor:
    """The palette's shares at each position of a map, `(N, rows * columns, K)`, line by line."""
    height, width = pixels.shape[1:3]
    cell = cell_size(height, width, rows, columns)
    place = height // cell[0] // rows, width // cell[1] // columns
    lines, across = rows * place[0], columns * place[1]
    seen = ops.cast(pixels[:, : lines * cell[0], : across * cell[1]], "float32")
    # Channels first: OpenVINO raises long rows to powers many times faster than rows of three.
    cells = ops.transpose(_block_means(ops, seen, lines, across, cell, 3), (0, 2, 1))
    factors, offsets = palette_scores()
    parts = zip(lab(ops, cells[:, 0], cells[:, 1], cells[:, 2]), factors, strict=True)
    shares = ops.softmax(sum(ops.expand_dims(channel, -1) * factor for channel, factor in parts) - offsets)
    return _block_means(ops, shares, rows, columns, place, len(offsets))


def _block_means(
    ops: Any, values: keras.KerasTensor, rows: int, columns: int, size: tuple[int, int], channels: int
) -> keras.KerasTensor:
    """Means over rows x columns blocks of so many values, `(N, rows * columns, channels)`, line by line.

    First down, then across: sums of whole rows are what processors are fast at.
    """
    down = ops.sum(ops.reshape(values, (-1, rows, size[0], columns * size[1] * channels)), axis=2)
    across = ops.sum(ops.reshape(down, (-1, rows * columns, size[1], channels)), axis=2)
    return across / (size[0] * size[1])  # `ops.mean` would be a second operation named as the layer `mean`


def cell_size(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of pixels in a cell, about `CELLS` cells along each side of a position."""
    return max(1, height // (CELLS * rows)), max(1, width // (CELLS * columns))


def palette_scores() -> tuple[np.ndarray, np.ndarray]:
    """`factors (3, K)` and `offsets (K,)`: the softmax of a color x is that of `x . factors - offsets`.

    -|x - c|^2 / (2 s^2) = (x . c - |c|^2 / 2) / s^2 - |x|^2 / (2 s^2), whose last term is the same for all c.
    """
    known = palette()
    factors = (known / SOFTNESS**2).T.astype(np.float32)
    return factors, (0.5 * (known / SOFTNESS) ** 2).sum(axis=1).astype(np.float32)


def lab(ops: Any, red: Any, green: Any, blue: Any) -> tuple[Any, Any, Any]:
    """L*, a* and b* of sRGB from 0 to 255, in the shape of the channels; `ops` is `keras.ops`.

    ISO/CIE 11664-4: L* = 116 f(Y) - 16, a* = 500 (f(X) - f(Y)), b* = 200 (f(Y) - f(Z)), of X, Y and Z by
    those of white, where f(t) is the cube root above (6/29)^3 and a straight line below.
    """

    def linear(channel: Any) -> Any:
        value = channel / 255
        return ops.where(value <= 0.04045, value / 12.92, ops.power((value + 0.055) / 1.055, 2.4))

    red, green, blue = linear(red), linear(green), linear(blue)

    def f(row: tuple[float, float, float], white: float) -> Any:
        t = (row[0] * red + row[1] * green + row[2] * blue) / white
        line = t / (3 * KNEE**2) + 4 / 29
        return ops.where(t > KNEE**3, ops.power(ops.maximum(t, KNEE**3), 1 / 3), line)

    x, y, z = (f(row, white) for row, white in zip(XYZ, WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@cache
def palette() -> np.ndarray:
    """`(K, 3)` L*, a* and b* of rings of hues at every lightness, turned by half a step from one to the next.

    Those that sRGB cannot show are left out.
    """
    rings = [
        (lightness, chroma * np.cos(angle), chroma * np.sin(angle))
        for number, lightness in enumerate(LIGHTNESS)
        for chroma, hues in RINGS
        for angle in 2 * np.pi * (np.arange(hues) + number % 2 / 2) / hues
    ]
    found = np.array(rings)
    linear = _linear(found)
    return found[((linear >= -0.02) & (linear <= 1.02)).all(axis=1)]


def _linear(colors: np.ndarray) -> np.ndarray:
    """`(K, 3)` L*, a* and b* to linear sRGB, the inverse of `lab` but for gamma."""
    y = (colors[:, 0] + 16) / 116
    f = np.stack([y + colors[:, 1] / 500, y, y - colors[:, 2] / 200], axis=1)
    xyz = np.where(f > KNEE, f**3, 3 * KNEE**2 * (f - 4 / 29)) * np.array(WHITE)
    return np.asarray(xyz @ np.linalg.inv(np.array(XYZ)).T)
