from __future__ import annotations

import numpy as np
import pytest

from aimonk.training.backend import keras
from aimonk.training.linear_probe.glorot import glorot_uniform


@pytest.mark.parametrize("seed", [0, 42, 123_456, 2**31 - 1])
@pytest.mark.parametrize("shape", [(2048, 4), (5, 3), (1, 1)])
def test_the_weights_are_those_of_keras_bit_for_bit(shape: tuple[int, int], seed: int) -> None:
    expected = keras.ops.convert_to_numpy(keras.initializers.GlorotUniform(seed=seed)(shape))
    got = glorot_uniform(shape, seed)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)


def test_the_notebooks_weights_by_hand() -> None:
    """The first weights of the notebook's head, as Keras drew them; the limit is sqrt(6 / 2052) = 0.0541."""
    weights = glorot_uniform((2048, 4), 42)
    np.testing.assert_allclose(weights[0, :3], [-0.02352934, -0.00017121, 0.02330132], atol=1e-8)
    assert 0.0540 < np.abs(weights).max() <= 0.0541
