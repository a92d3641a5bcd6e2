"""Perceptual hashes of thumbnails: which low frequencies of a picture are above their median."""

from __future__ import annotations

import numpy as np

SIDE = 32
"""Pixels of a thumbnail's side; also what a perceptual hash of 8 x 8 is computed from."""

_LOW = 8
_BLOCK = 2**12
_PIXELS = np.arange(SIDE)
COSINES = 2 * np.cos(np.pi * np.outer(_PIXELS[:_LOW], 2 * _PIXELS + 1) / (2 * SIDE))
"""The DCT-II as SciPy and ImageHash scale it: row `k` holds `2 cos(pi k (2 n + 1) / (2 SIDE))`."""


def perceptual_hashes(gray: np.ndarray, transform: np.ndarray = COSINES) -> np.ndarray:
    """Return ImageHash's pHash of each thumbnail, `(n,) uint64`, the first bit highest.

    The DCT is linear, so a hash costs two small matrix products, and needs neither ImageHash nor SciPy, whose
    imports take as long as hundreds of images.

    Args:
        gray: `(n, SIDE, SIDE) uint8`.
        transform: `(8, SIDE)`, what gives the low frequencies of a line; a resampling may be part of it.

    Example:
        >>> rising = np.tile(np.arange(SIDE, dtype=np.uint8), (SIDE, 1))
        >>> one, mirrored = perceptual_hashes(np.stack([rising, rising[:, ::-1]])).tolist()
        >>> (one ^ mirrored) >> 62 & 1  # the bit that says which side is brighter
        1
    """
    hashes = np.zeros(len(gray), np.uint64)
    for start in range(0, len(gray), _BLOCK):
        some = gray[start : start + _BLOCK].astype(np.float64)
        low = (transform @ some @ transform.T).reshape(len(some), _LOW * _LOW)
        # The median. For one hash, NumPy's own takes half of the time.
        middle = np.sort(low, axis=1)[:, _LOW * _LOW // 2 - 1 : _LOW * _LOW // 2 + 1]
        bits = np.packbits(low > middle.mean(axis=1, keepdims=True), axis=1)
        hashes[start : start + _BLOCK] = bits.view(">u8")[:, 0]
    return hashes
