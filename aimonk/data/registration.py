"""Lay one thumbnail over another that shows a part of it: the copy of a photo with its border cut off."""

from __future__ import annotations

import numpy as np

_STEPS = 4
_RIDGE = np.float32(1e-3)
_LIMIT = 0.14
"""Greatest change of a side's scale, and of its place, as a share of the side."""


def register(one: np.ndarray, other: np.ndarray, zoom: float = 1.0) -> np.ndarray:
    """Return `one` resampled so that it lies as well as possible over `other`.

    Per axis, pixel `u` of `other` is compared with `center + zoom (u - center) + shift` of `one`. Both
    parameters of both axes are found by Gauss-Newton steps on the squared difference of gray values, after a
    gain and an offset of brightness (Lucas, Kanade: "An iterative image registration technique", IJCAI 1981;
    Baker, Matthews: "Lucas-Kanade 20 years on", IJCV 56(3), 2004). Linearized around the present estimate,

        other = gain one(x, y) + offset + gain (dx/dzoom d_one/dx) d_zoom + gain d_one/dx d_shift + ...

    which is linear in the six unknowns: one 6 x 6 system for each pair and step.

    Args:
        one: `(n, side, side) float32` gray values.
        other: the same shape.
        zoom: where the search starts; 0.96 if `other` lacks 2% on each side.

    Returns:
        `(n, side, side) float32`: gray values of `one`, brightness unchanged.
    """
    count, side = len(one), one.shape[1]
    place = (np.arange(side, dtype=np.float32) - (side - 1) / 2).astype(np.float32)
    zooms = np.full((count, 2), zoom, np.float32)  # rows, columns
    shifts = np.zeros((count, 2), np.float32)
    for _ in range(_STEPS):
        warped = _resample(one, zooms, shifts)
        down, across = np.gradient(warped, axis=(1, 2))
        columns = [down, down * place[:, None], across, across * place, warped, np.ones_like(warped)]
        design = np.stack([column[:, 1:-1, 1:-1].reshape(count, -1) for column in columns], axis=2)
        target = other[:, 1:-1, 1:-1].reshape(count, -1, 1)
        turned = design.transpose(0, 2, 1)
        normal = turned @ design
        scale = np.maximum(np.einsum("nii->ni", normal), 1.0)
        normal += _RIDGE * scale[:, :, None] * np.eye(6, dtype=np.float32)
        found = np.linalg.solve(normal, turned @ target)[:, :, 0]
        gain = np.maximum(np.abs(found[:, 4:5]), 0.2)
        # The gradients are per pixel of the resampled image, which is `zoom` pixels of `one`.
        shifts += np.clip(found[:, [0, 2]] / gain * zooms, -1.5, 1.5)
        zooms *= 1 + np.clip(found[:, [1, 3]] / gain, -0.05, 0.05)
        zooms = np.clip(zooms, 1 - _LIMIT, 1 + _LIMIT)
        shifts = np.clip(shifts, -_LIMIT * side, _LIMIT * side)
    return _resample(one, zooms, shifts)


def _resample(gray: np.ndarray, zooms: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    rows, columns = (_weights(gray.shape[1], zooms[:, axis], shifts[:, axis]) for axis in (0, 1))
    return np.asarray(rows @ gray @ columns.transpose(0, 2, 1))


def _weights(side: int, zoom: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return the cubic interpolation along one axis as matrices `(n, side, side)`; edges are repeated.

    Keys: "Cubic convolution interpolation", IEEE TASSP 29(6), 1981, with a = -1/2.
    """
    center = (side - 1) / 2
    pixels = np.arange(side, dtype=np.float32)
    places = center + zoom[:, None] * (pixels - center) + shift[:, None]
    away = np.abs(np.clip(places, 0, side - 1)[:, :, None] - pixels)
    near = (1.5 * away - 2.5) * away**2 + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    weights = np.where(away <= 1, near, np.where(away < 2, far, 0)).astype(np.float32)
    return np.asarray(weights / weights.sum(axis=2, keepdims=True))
