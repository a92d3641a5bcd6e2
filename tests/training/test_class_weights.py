from __future__ import annotations

import numpy as np

from aimonk.training.class_weights import pos_weights, prevalences


def test_pos_weights_and_prevalences_by_hand() -> None:
    targets = np.array([[1, 0, 1, -1], [0, 0, 1, -1], [0, -1, 1, -1], [0, 1, 1, -1]], np.float32)
    np.testing.assert_allclose(pos_weights(targets), [3, 2, 1, 1])
    np.testing.assert_allclose(pos_weights(targets, power=0.5), [3**0.5, 2**0.5, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(pos_weights(targets, maximum=2.5), [2.5, 2, 1, 1])
    assert pos_weights(targets).dtype == np.float32
    np.testing.assert_allclose(prevalences(targets), [0.25, 1 / 3, 1.0, 0.0], rtol=1e-6)
