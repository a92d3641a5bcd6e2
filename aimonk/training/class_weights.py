"""How rare each attribute is, as weights of the loss."""

from __future__ import annotations

import numpy as np


def pos_weights(targets: np.ndarray, power: float = 1.0, maximum: float = 0.0) -> np.ndarray:
    """`(negatives / positives) ** power` per attribute, at most `maximum` if that is above 0.

    `targets` is `(N, L)`, training rows only. An attribute without a positive or without a negative has
    no ratio and gets 1. Returns `(L,) float32`.
    """
    positives = (targets == 1).sum(axis=0).astype(np.float64)
    negatives = (targets == 0).sum(axis=0).astype(np.float64)
    both = (positives > 0) & (negatives > 0)
    ratio = np.divide(negatives, positives, out=np.ones_like(positives), where=both)
    weights = np.where(both, ratio, 1.0) ** power
    return np.asarray(np.minimum(weights, maximum) if maximum > 0 else weights, dtype=np.float32)


def prevalences(targets: np.ndarray) -> np.ndarray:
    """Positives over known cells per attribute of `targets (N, L)`; 0 if none is known. `(L,) float32`."""
    known = (targets >= 0).sum(axis=0)
    return np.asarray((targets == 1).sum(axis=0) / np.maximum(known, 1), dtype=np.float32)
