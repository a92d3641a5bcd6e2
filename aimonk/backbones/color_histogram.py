"""What colours an image has where it matters: shares of a palette, which a backbone's last map has lost."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

ATTENTION = "attention"
"""How the names of the layers begin that say where to look, the only ones here that have weights."""

LIGHTNESS = (8, 20, 32, 44, 56, 68, 80, 92)
RINGS = ((0, 1), (10, 6), (25, 8), (50, 10))
"""Chroma, and how many hues of it: close together near grey, where most of the world's colours are."""

SOFTNESS = 10.0
"""Distance in Lab over which a colour counts for its neighbours in the palette too."""

CELLS = 4
"""Pixels are averaged first, to about so many cells along each side of a position of the last map."""

MIDDLE = 1 / 3
"""Of the height and of the width: where is looked before anything is learned."""

UNLIKE = 0.02
"""Standard deviation of the first weights of a second and further places: equal ones would stay equal."""

FALL = 50.0
"""How fast the logarithm of the attention falls outside that, per height or width."""

SMALLEST_SHARE = 1e-3
"""Added before the root, whose slope at 0 would otherwise make much of a single pixel."""

WHITE = (0.9505, 1.0, 1.089)
"""CIE XYZ of D65, the white of sRGB."""

XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
"""From linear sRGB, IEC 61966-2-1."""

_KNEE = 6 / 29


def colours(
    keras: Any, pixels: keras.KerasTensor, maps: keras.KerasTensor, places: int
) -> list[keras.KerasTensor]:
    """Roots of the palette's shares, `(N, K)`, in each of so many places that are attended to.

    `pixels` is `(N, H, W, 3) uint8` RGB, `maps` the last map of the backbone, `(N, h, w, C)`. Attention is
    softmax(prior + maps . v) over its positions (Girdhar and Ramanan, "Attentional Pooling for Action
    Recognition", NIPS 2017). Until the network is fine-tuned v is 0, or as good as that, which leaves the
    prior: the middle.

    A share is the mean over the cells of softmax(-d^2 / (2 SOFTNESS^2)), d the distance in CIE 1976 L*a*b*
    to the palette's colours. Roots are compared as histograms are best compared (Hellinger's distance). After
    Swain and Ballard, "Color Indexing", IJCV 1991, with soft bins as in van de Weijer, Schmid, Verbeek and
    Larlus, "Learning Color Names for Real-World Applications", TIP 2009.

    It is saved without code, and the shares are float32 at any precision: OpenVINO computes in bf16 what
    leads to a matrix product, of which there is none behind them, and Keras what is a layer.
    """
    ops = keras.ops
    rows, columns, _ = maps.shape[1:]
    shares = ops.reshape(_shares(ops, pixels, rows, columns), (-1, rows * columns, len(palette())))

    def seen(place: int) -> keras.KerasTensor:
        start = keras.initializers.RandomNormal(0, UNLIKE, seed=place) if place else "zeros"
        attend = keras.layers.Conv2D(
            1, 1, use_bias=False, kernel_initializer=start, name=f"{ATTENTION}_{place}"
        )
        scores = ops.cast(attend(maps)[..., 0], "float32") + prior(rows, columns)
        weights = ops.softmax(ops.reshape(scores, (-1, rows * columns, 1)), axis=1)
        return ops.sqrt(ops.sum(weights * shares, axis=1) + SMALLEST_SHARE)

    return [seen(place) for place in range(places)]


def prior(rows: int, columns: int) -> np.ndarray:
    """`(rows, columns) float32`: logarithm of the attention, 0 in the middle and falling outside."""

    def outside(length: int) -> np.ndarray:
        return np.maximum(np.abs((np.arange(length) + 0.5) / length - 0.5) - MIDDLE / 2, 0)

    return (-FALL * (outside(rows)[:, None] + outside(columns))).astype(np.float32)


def _shares(ops: Any, pixels: keras.KerasTensor, rows: int, columns: int) -> keras.KerasTensor:
    """The palette's shares at each position of a map, `(N, rows, columns, K)`."""
    height, width = pixels.shape[1:3]
    cell = max(1, height // (CELLS * rows)), max(1, width // (CELLS * columns))
    cells = ops.average_pool(ops.cast(pixels, "float32"), cell, cell)
    # -|x - c|^2 / (2 s^2) = (x . c - |c|^2 / 2) / s^2 - |x|^2 / (2 s^2); the last term is the same for all c.
    known = palette()
    factors = (known / SOFTNESS**2).T.astype(np.float32)
    offsets = (0.5 * (known / SOFTNESS) ** 2).sum(axis=1).astype(np.float32)
    parts = zip(lab(ops, cells), factors, strict=True)
    shares = ops.softmax(sum(ops.expand_dims(channel, -1) * factor for channel, factor in parts) - offsets)
    place = shares.shape[1] // rows, shares.shape[2] // columns
    return ops.average_pool(shares, place, place)[:, :rows, :columns]


def lab(ops: Any, rgb: Any) -> tuple[Any, Any, Any]:
    """L*, a* and b* of `(..., 3)` sRGB from 0 to 255, each `(...)`; `ops` is `keras.ops`.

    ISO/CIE 11664-4: L* = 116 f(Y) - 16, a* = 500 (f(X) - f(Y)), b* = 200 (f(Y) - f(Z)), of X, Y and Z by
    those of white, where f(t) is the cube root above (6/29)^3 and a straight line below.
    """
    value = rgb / 255
    linear = ops.where(value <= 0.04045, value / 12.92, ops.power((value + 0.055) / 1.055, 2.4))
    red, green, blue = (linear[..., channel] for channel in range(3))

    def f(row: tuple[float, float, float], white: float) -> Any:
        t = (row[0] * red + row[1] * green + row[2] * blue) / white
        line = t / (3 * _KNEE**2) + 4 / 29
        return ops.where(t > _KNEE**3, ops.power(ops.maximum(t, _KNEE**3), 1 / 3), line)

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


def _linear(colours: np.ndarray) -> np.ndarray:
    """`(K, 3)` L*, a* and b* to linear sRGB, the inverse of `lab` but for gamma."""
    y = (colours[:, 0] + 16) / 116
    f = np.stack([y + colours[:, 1] / 500, y, y - colours[:, 2] / 200], axis=1)
    xyz = np.where(f > _KNEE, f**3, 3 * _KNEE**2 * (f - 4 / 29)) * np.array(WHITE)
    return xyz @ np.linalg.inv(np.array(XYZ)).T
