"""A backbone's preprocessing as a scale and an offset per channel; Keras' functions are probed for theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import BackboneError

PREPROCESSING_VERSION = 1
"""Part of the feature store's key: raise it when the same image would give another vector."""


@dataclass(frozen=True)
class Preprocessing:
    """`f(x)[c] = scale[c] * x[2 - c if flip else c] + offset[c]`, with x from 0 to 255, RGB."""

    flip: bool
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the numbers."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Apply it to `(..., 3)` of any dtype, in float64."""
        channels = images[..., ::-1] if self.flip else images
        return np.asarray(channels * np.array(self.scale) + np.array(self.offset))


def probe_preprocessing(preprocess: Callable[[np.ndarray], np.ndarray]) -> Preprocessing:
    """Find the affine form of a Keras `preprocess_input`, and check it on random pixels.

    With `f` affine in each channel, `offset = f(0)` and `scale = f(1) - f(0)`; whether channels are
    reversed (the "caffe" mode) shows in which output answers to a purely red pixel. The slope is
    measured over the whole range, 0 to 255, to lose no digits to cancellation.

    Raises:
        BackboneError: the function is not of that form.

    """

    def f(images: np.ndarray) -> np.ndarray:
        return np.asarray(preprocess(images.astype(np.float32)), dtype=np.float64)

    black, white, red = f(255 * np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0]]).reshape(3, 1, 1, 3))[:, 0, 0]
    flip = bool(abs(red - black)[2] > abs(red - black)[0])
    scale, offset = (white - black) / 255.0, black
    form = Preprocessing(flip, tuple(map(float, scale)), tuple(map(float, offset)))  # type: ignore[arg-type]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
    # float32 keeps 2^-24 of the largest intermediate value, which is at most 255.
    if not np.allclose(f(pixels), form(pixels), rtol=1e-5, atol=1e-4):
        raise BackboneError(
            "Keras' preprocessing of this backbone is not a scale and an offset per channel, "
            "so it cannot be built into the graph; choose another backbone."
        )
    return form
