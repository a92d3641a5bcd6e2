"""How alike two photos are: cosines between the gradients of their thumbnails, and differences of gray."""

from __future__ import annotations

import numpy as np

from .perceptual_hash import COSINES, SIDE, perceptual_hashes

CUT = 0.03
"""Share cut off each side for a photo's third hash; it finds copies that lack 1 to 5%."""

_PIXELS = np.arange(SIDE)


def hashes_without_border(gray: np.ndarray, cut: float = CUT) -> np.ndarray:
    """Return the perceptual hashes, `(n,) uint64`, of thumbnails with `cut` of each side cut off.

    With a cut of 0 they are the hashes of `look_at`. `gray` is `(n, SIDE, SIDE) uint8`.
    """
    return perceptual_hashes(gray, COSINES @ _inner(cut))


def without_border(gray: np.ndarray, cut: float = CUT) -> np.ndarray:
    """Return `(n, SIDE, SIDE) float32` thumbnails with `cut` of each side cut off, enlarged to full size."""
    resample = _inner(cut).astype(np.float32)
    return np.asarray(resample @ gray @ resample.T)


def likeness(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the cosine between the gradients of gray of each pair, `(n,)`, in [-1, 1].

    Unlike plain correlation, it does not count a shared white background for alike. Both arguments are
    `(n, side, side)` floats.
    """
    first, second = gradients(one), gradients(other)
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    # Images of one color have no gradient: they are like nothing but their own bytes.
    return np.asarray(np.einsum("ij,ij->i", first, second) / np.maximum(norms, np.float32(1.0)))


def tone(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the greatest difference of gray between blocks of 2 x 2 pixels of each pair, `(n,)`."""
    return np.asarray(np.abs(blocks(one) - blocks(other)).max(axis=(1, 2)))


def blocks(gray: np.ndarray) -> np.ndarray:
    """Return means of 2 x 2 pixels, `(n, side / 2, side / 2)`: small shifts change them less than pixels."""
    count, side, _ = gray.shape
    return np.asarray(gray.reshape(count, side // 2, 2, side // 2, 2).mean(axis=(2, 4)))


def gradients(gray: np.ndarray) -> np.ndarray:
    """Return differences to the right and lower neighbors: (n, side, side) to (n, 2 (side - 1) side)."""
    across, down = np.diff(gray, axis=2), np.diff(gray, axis=1)
    count, side, _ = gray.shape
    numbers = side * (side - 1)
    return np.concatenate([across.reshape(count, numbers), down.reshape(count, numbers)], axis=1)


def smooth(gray: np.ndarray) -> np.ndarray:
    """Return binomial means of 3 x 3 pixels, `(n, side - 2, side - 2)`: one for each inner pixel."""
    down = (gray[:, :-2] + 2 * gray[:, 1:-1] + gray[:, 2:]) / 4
    return np.asarray((down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]) / 4)


def _inner(cut: float) -> np.ndarray:
    """Return the linear interpolation of a line's inner part at SIDE places, as a matrix `(SIDE, SIDE)`."""
    center = (SIDE - 1) / 2
    places = center + (1 - 2 * cut) * (_PIXELS - center)
    return np.asarray(np.maximum(1 - np.abs(places[:, None] - _PIXELS), 0))
