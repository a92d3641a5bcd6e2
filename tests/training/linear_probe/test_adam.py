from __future__ import annotations

import numpy as np
import pytest

from aimonk.training.backend import keras
from aimonk.training.linear_probe.adam import Adam


def test_two_steps_by_hand() -> None:
    """With g = 1, then -1: m / (1 - b1^2) is (0.9 * 0.1 - 0.1) / 0.19 = -0.0526 and v / (1 - b2^2) is 1."""
    weights = np.zeros(1, np.float32)
    adam = Adam([weights], [0.0])
    adam.step([np.array([1.0], np.float32)], rate=0.1)
    np.testing.assert_allclose(weights, [-0.1], rtol=1e-5)
    adam.step([np.array([-1.0], np.float32)], rate=0.1)
    np.testing.assert_allclose(weights, [-0.1 + 0.1 * 0.01 / 0.19], rtol=1e-4)


def test_decay_by_hand() -> None:
    """2 (1 - 0.1 * 0.5) without a gradient."""
    weights = np.array([2.0], np.float32)
    Adam([weights], [0.5]).step([np.zeros(1, np.float32)], rate=0.1)
    np.testing.assert_allclose(weights, [1.9], rtol=1e-6)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_steps_are_those_of_keras(decay: float) -> None:
    random = np.random.default_rng(0)
    start = random.normal(size=(7, 3)).astype(np.float32)
    variable = keras.Variable(start)
    rule = keras.optimizers.AdamW(0.05, weight_decay=decay)
    weights = start.copy()
    adam = Adam([weights], [decay])
    for _ in range(20):
        gradient = random.normal(size=start.shape).astype(np.float32) * 10.0 ** random.integers(-4, 3)
        rule.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        adam.step([gradient.copy()], 0.05)
    np.testing.assert_allclose(weights, keras.ops.convert_to_numpy(variable), rtol=1e-5, atol=1e-6)
