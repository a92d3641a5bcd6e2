"""From samples of 10 to 32 bits, or floats, to 8 bits: which values are black and white.

The rule, where a file states no range:

1. Integers are unsigned samples of 8, 10, 12, 14, 16, ... bits: black is 0 and white is `2**bits - 1`, with
   the fewest bits that hold the largest value. Floats are measured against 1, 255, and the same integers.
2. If the samples span a quarter of that or less, or some are negative, they have an offset (temperatures,
   Hounsfield units): black is the smallest value. If the samples span at least 15/16 of 8, 10, 12, 14 or
   16 bits, white lies that many bits above it; otherwise white is the largest value.

So a 12-bit photo in 16-bit samples, the same photo as floats of 0..1 or 0..255, and as int32 with an offset
come out alike, and no value is ever clipped. The price: a 16-bit photo so dark that no sample exceeds
16,383 is taken for one of 14 bits, and comes out up to four times as bright. Let the file state its range
where that matters.
"""

from __future__ import annotations

import math

import numpy as np

_INTEGER_TOPS = tuple(4**k - 1 for k in range(4, 17))
"""255, 1023, 4095, 16383, 65535, ... up to 32 bits."""
_FLOAT_TOPS = (1, *_INTEGER_TOPS)
_DEPTHS = _INTEGER_TOPS[:5]
"""Of 8 to 16 bits: what cameras and scanners record, so what may lie between an offset and white."""
_NEARLY_ALL = 15 / 16
"""A photo whose darkest and brightest gray are 6 and 246 of 255 still spans this much."""
_BAND = 2**20
"""Samples converted at a time, so that the copies in float64 stay small."""


def used_range(samples: np.ndarray) -> tuple[float, float]:
    """Return the smallest and largest finite sample, `(0.0, 0.0)` if there is none."""
    if samples.dtype.kind == "f":
        samples = samples[np.isfinite(samples)]
    return (float(samples.min()), float(samples.max())) if samples.size else (0.0, 0.0)


def assumed_range(low: float, high: float, floating: bool) -> tuple[float, float]:
    """Return the values that are black and white for samples that span `low` to `high`; see the module.

    Example:
        >>> assumed_range(3, 4000, floating=False)
        (0, 4095)
        >>> assumed_range(-1000, 2000, floating=False)
        (-1000, 2000)
        >>> assumed_range(100_000, 100_250, floating=False)
        (100000, 100255)
    """
    tops = _FLOAT_TOPS if floating else _INTEGER_TOPS
    spread = high - low
    top = next((top for top in tops if high <= top), math.inf)
    if spread == 0:
        return (0, top) if 0 <= high <= tops[-1] else (low, low + 1)
    if low >= 0 and spread > top / 4:
        return 0, top
    reach = next((top for top in _DEPTHS if spread <= top), math.inf)
    return (low, low + reach) if spread >= _NEARLY_ALL * reach else (low, high)


def black_and_white(samples: np.ndarray, stated: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the values that are black and white: the range a file states, or the assumed one.

    A stated range that is empty or that some samples exceed is wrong, and is ignored.
    """
    low, high = used_range(samples)
    if stated is not None and stated[0] < stated[1] and stated[0] <= low and high <= stated[1]:
        return stated
    return assumed_range(low, high, samples.dtype.kind == "f")


def to_8_bits(samples: np.ndarray, black: float, white: float) -> np.ndarray:
    """Scale samples of any shape from `black..white` to `0..255 uint8`, rounded; NaN becomes black."""
    flat = samples.reshape(-1)
    result = np.empty(flat.shape, np.uint8)
    scale = 255.0 / (white - black)
    for start in range(0, len(flat), _BAND):
        band = (flat[start : start + _BAND].astype(np.float64) - black) * scale
        band = np.nan_to_num(band, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
        result[start : start + _BAND] = np.clip(np.rint(band), 0, 255)
    return result.reshape(samples.shape)
