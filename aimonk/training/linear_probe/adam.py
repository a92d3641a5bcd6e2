"""Adam in NumPy, as Keras computes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""The defaults of `keras.optimizers.Adam`."""


class Adam:
    """Moves float32 parameters in place.

    Kingma and Ba, "Adam", ICLR 2015, end of section 2 (the form with epsilon hat, which is Keras'). Decoupled
    decay comes first: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    Args:
        parameters: arrays of any shape.
        decays: weight decay of each of them, per unit of the learning rate.

    Example:
        The first step is the learning rate against the sign of the gradient, whatever its size:

        >>> weights = np.zeros(2, np.float32)
        >>> Adam([weights], [0.0]).step([np.array([5.0, -0.1], np.float32)], rate=0.5)
        >>> weights.round(3).tolist()
        [-0.5, 0.5]

    """

    def __init__(self, parameters: Sequence[np.ndarray], decays: Sequence[float]) -> None:
        self.parameters = tuple(parameters)
        self._decays = tuple(decays)
        self._first = [np.zeros_like(value) for value in parameters]
        self._second = [np.zeros_like(value) for value in parameters]
        self._steps = 0

    def step(self, gradients: Sequence[np.ndarray], rate: float) -> None:
        """Take one step; the gradients are overwritten."""
        self._steps += 1
        size = np.float32(rate * np.sqrt(1 - BETA_2**self._steps) / (1 - BETA_1**self._steps))
        moments = zip(self._first, self._second, strict=True)
        for value, decay, gradient, (first, second) in zip(
            self.parameters, self._decays, gradients, moments, strict=True
        ):
            if decay:
                value *= np.float32(1 - rate * decay)
            first += (gradient - first) * np.float32(1 - BETA_1)
            np.square(gradient, out=gradient)
            gradient -= second
            gradient *= np.float32(1 - BETA_2)
            second += gradient
            np.sqrt(second, out=gradient)
            gradient += np.float32(EPSILON)
            np.divide(first, gradient, out=gradient)
            gradient *= size
            value -= gradient
