"""Standardised features: what the mean and spread of the training images make of a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...backbones.linear_head import LinearHead


@dataclass(frozen=True)
class Scaling:
    """Features f are seen as (f - mean) / scale; both are `(D,)`."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def none(cls, features: int) -> Scaling:
        """The identity."""
        return cls(np.zeros(features), np.ones(features))

    @classmethod
    def of(cls, views: np.ndarray, rows: np.ndarray) -> Scaling:
        """Mean and standard deviation over the views of these images; a constant feature has the scale 1.

        `views` is `(V, N, D) float32`, `rows (n,)` indexes images.
        """
        chosen = views[:, rows]
        mean = chosen.mean(axis=(0, 1), dtype=np.float64)
        spread = np.sqrt(np.mean((chosen - mean.astype(np.float32)) ** 2, axis=(0, 1), dtype=np.float64))
        return cls(mean, np.where(spread > 1e-6 * np.abs(mean), spread, 1.0))

    def folded(self, head: LinearHead) -> LinearHead:
        """A head on scaled features as one on raw ones.

        (f - mean) / scale @ K + b = f @ (K / scale) + b - mean @ (K / scale).
        """
        kernel = head.kernel.astype(np.float64) / self.scale[:, None]
        bias = head.bias - self.mean @ kernel
        return LinearHead(kernel.astype(np.float32), bias.astype(np.float32))

    def unfolded(self, head: LinearHead) -> LinearHead:
        """The inverse of `folded`: f @ K + b = (f - mean) / scale @ (scale * K) + b + mean @ K."""
        kernel = head.kernel.astype(np.float64)
        bias = head.bias + self.mean @ kernel
        return LinearHead((kernel * self.scale[:, None]).astype(np.float32), bias.astype(np.float32))
