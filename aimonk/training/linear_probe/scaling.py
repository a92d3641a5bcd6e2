"""Standardized features without a standardized copy: an affine map of the head and of its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...backbones.linear_head import LinearHead
from ...features.image_vectors import ImageVectors
from .lanes import ALONE, Lanes

_SMALLEST_SPREAD = 1e-6
"""Of a feature's mean: what spreads less is constant up to rounding."""


@dataclass(frozen=True)
class Scaling:
    """Features f are seen as (f - mean) / scale; both are `(D,)`.

    A head with kernel K and bias b on scaled features is the head `folded` on raw ones:

        (f - mean) / scale @ K + b = f @ (K / scale) + (b - mean @ (K / scale))

    For a loss with the derivative R `(n, L)` by the logits of the features F `(n, D)`, the gradients are

        by b:  sum of the rows of R = r
        by K:  ((F - mean) / scale)^T R = (F^T R - outer(mean, r)) / scale

    so that both directions read the raw features where they lie. See `gradient`.
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def none(cls, features: int) -> Scaling:
        """The identity.

        >>> Scaling.none(2).scale.tolist()
        [1.0, 1.0]
        """
        return cls(np.zeros(features), np.ones(features))

    @classmethod
    def of(
        cls,
        vectors: ImageVectors,
        images: np.ndarray,
        weights: np.ndarray | None = None,
        lanes: Lanes = ALONE,
    ) -> Scaling:
        """Mean and standard deviation over all views of these images; a constant feature has the scale 1.

        One pass over the rows. Sums are taken of differences to a first estimate of the mean, without which
        the variance would be a small difference of large numbers (Chan, Golub and LeVeque, "Algorithms for
        Computing the Sample Variance", The American Statistician 1983, section 3).

        Args:
            vectors: the features.
            images: `(n,)` indices of images, n at least 1.
            weights: `(D,)` standard deviations that the features are to have, instead of 1.
            lanes: the threads that share the rows.

        """
        rows = np.sort(vectors.rows[:, images].ravel())
        _, some = next(vectors.blocks(rows))
        pivot = some.mean(axis=0)

        def sums(part: slice) -> np.ndarray:
            """Of the differences to the pivot, and of their squares, `(2, D)`."""
            found = np.zeros((2, vectors.width))
            for _, block in vectors.blocks(rows[part]):
                centered = block - pivot
                ones = np.ones(len(centered), np.float32)
                found[0] += ones @ centered
                found[1] += ones @ np.square(centered, out=centered)
            return found

        first, second = np.sum(lanes.each(sums, len(rows)), axis=0)
        shift = first / len(rows)
        mean = pivot + shift
        spread = np.sqrt(np.maximum(second / len(rows) - shift**2, 0))
        scale = np.where(spread > _SMALLEST_SPREAD * np.abs(mean), spread, 1.0)
        return cls(mean, scale if weights is None else scale / weights)

    def folded(self, head: LinearHead) -> LinearHead:
        """The head on raw features that says what `head` says of scaled ones."""
        kernel = head.kernel.astype(np.float64) / self.scale[:, None]
        bias = head.bias - self.mean @ kernel
        return LinearHead(kernel.astype(np.float32), bias.astype(np.float32))

    def unfolded(self, head: LinearHead) -> LinearHead:
        """The inverse of `folded`: f @ K + b = (f - mean) / scale @ (scale * K) + b + mean @ K."""
        kernel = head.kernel.astype(np.float64)
        bias = head.bias + self.mean @ kernel
        return LinearHead((kernel * self.scale[:, None]).astype(np.float32), bias.astype(np.float32))

    def gradient(self, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """The gradient by the kernel on scaled features, `(D, L)`, from those on raw ones: F^T R and r."""
        return np.asarray((kernel - np.outer(self.mean, bias)) / self.scale[:, None], dtype=kernel.dtype)
