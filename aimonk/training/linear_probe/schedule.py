"""Learning rates over a training, one per iteration."""

from __future__ import annotations

import numpy as np


def learning_rates(schedule: str, rate: float, iterations: int) -> np.ndarray:
    """`(iterations,) float32`: `constant`, or `cosine` from `rate` down to almost 0.

    Cosine: rate * (1 + cos(pi t / T)) / 2 for t = 0 ... T - 1. Loshchilov, Hutter, "SGDR: Stochastic
    Gradient Descent with Warm Restarts", ICLR 2017, equation 5, with one period and no restart.
    """
    if schedule == "constant":
        return np.full(iterations, rate, dtype=np.float32)
    turn = np.pi * np.arange(iterations) / iterations
    return np.asarray(rate * (1 + np.cos(turn)) / 2, dtype=np.float32)
