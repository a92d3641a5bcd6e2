"""What colours the middle of an image has: shares of a fixed palette, which a backbone's last maps lose."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

LIGHTNESS = (8, 20, 32, 44, 56, 68, 80, 92)
RINGS = ((0, 1), (10, 6), (25, 8), (50, 10))
"""Chroma, and how many hues of it: close together where most of the world's colours are, near grey."""

SOFTNESS = 10.0
"""Distance in Lab over which a colour counts for its neighbours in the palette too."""

CELLS = 48
"""Pixels are averaged to about so many cells along the height of the image first."""

SMALLEST_SHARE = 1e-3
"""Added before the root, whose slope at 0 would otherwise make much of a single pixel."""

WHITE = (0.9505, 1.0, 1.089)
"""CIE XYZ of D65, the white of sRGB."""

XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
"""From linear sRGB, IEC 61966-2-1."""

_KNEE = 6 / 29


def colours(keras: Any, pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Continue `(N, H, W, 3) uint8` RGB to `(N, K)`: roots of the palette's shares in the middle third.

    Each cell counts for the colours of the palette by softmax(-d^2 / (2 SOFTNESS^2)), d the distance in CIE
    1976 L*a*b*; a share is its mean over the cells. Roots are compared as histograms are best compared
    (Hellinger's distance). After Swain and Ballard, "Color Indexing", IJCV 1991, with soft bins as in van de
    Weijer, Schmid, Verbeek and Larlus, "Learning Color Names for Real-World Applications", TIP 2009.

    The layers have no weights and are saved without code. There is no matrix product among them: OpenVINO
    computes in bf16 whatever leads to one, and 8 bits are too few for d^2.
    """
    ops = keras.ops
    height, width = pixels.shape[1:3]
    third = keras.layers.Cropping2D((height // 3, width // 3), name="middle_third")
    cells = keras.layers.AveragePooling2D((_cell(height), _cell(width)), name="cells")
    seen = lab(ops, cells(third(ops.cast(pixels, "float32"))))
    distance = sum(
        ops.square(ops.expand_dims(channel, -1) - values.astype(np.float32))
        for channel, values in zip(seen, palette().T, strict=True)
    )
    shares = keras.layers.Softmax(name="palette")(distance / (-2 * SOFTNESS**2))
    return ops.sqrt(keras.layers.GlobalAveragePooling2D(name="shares")(shares) + SMALLEST_SHARE)


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


def _cell(side: int) -> int:
    return max(1, side // CELLS)
