from __future__ import annotations

import numpy as np

from aimonk.training.backend import keras
from aimonk.training.linear_probe.schedule import learning_rates


def test_constant() -> None:
    np.testing.assert_array_equal(learning_rates("constant", 0.5, 3), np.array([0.5, 0.5, 0.5], np.float32))


def test_cosine_by_hand() -> None:
    """cos 0, cos 45, cos 90, cos 135 degrees."""
    half = 2**0.5 / 2
    expected = [2.0, 1 + half, 1.0, 1 - half]
    np.testing.assert_allclose(learning_rates("cosine", 2.0, 4), expected, rtol=1e-6)


def test_cosine_is_that_of_keras() -> None:
    theirs = keras.optimizers.schedules.CosineDecay(0.01, 50)
    expected = [float(theirs(step)) for step in range(50)]
    np.testing.assert_allclose(learning_rates("cosine", 0.01, 50), expected, rtol=1e-5)
