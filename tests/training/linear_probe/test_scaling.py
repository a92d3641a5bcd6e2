from __future__ import annotations

import numpy as np

from aimonk.backbones.linear_head import LinearHead
from aimonk.training.linear_probe.scaling import Scaling


def test_moments_are_those_of_the_chosen_rows_and_all_views() -> None:
    views = np.array([[[1.0, 5.0], [100.0, 100.0], [3.0, 5.0]], [[5.0, 5.0], [100.0, 0.0], [7.0, 5.0]]])
    scaling = Scaling.of(views.astype(np.float32), np.array([0, 2]))
    np.testing.assert_allclose(scaling.mean, [4.0, 5.0])
    np.testing.assert_allclose(scaling.scale, [5**0.5, 1.0])  # (9 + 1 + 1 + 9) / 4; a constant has 1


def test_a_folded_head_says_of_raw_features_what_it_said_of_scaled_ones() -> None:
    scaling = Scaling(np.array([1.0, -2.0]), np.array([0.5, 4.0]))
    head = LinearHead(np.array([[2.0], [8.0]], np.float32), np.array([0.5], np.float32))
    folded = scaling.folded(head)
    np.testing.assert_allclose(folded.kernel, [[4.0], [2.0]])
    np.testing.assert_allclose(folded.bias, [0.5])  # 0.5 - (1 * 4 + -2 * 2)
    raw = np.array([[1.5, 2.0]], np.float32)  # scaled: 1, 1
    np.testing.assert_allclose(folded.logits(raw), [[10.5]])
    back = scaling.unfolded(folded)
    np.testing.assert_allclose(back.kernel, head.kernel)
    np.testing.assert_allclose(back.bias, head.bias)


def test_no_scaling_changes_nothing() -> None:
    head = LinearHead(np.array([[2.0], [8.0]], np.float32), np.array([0.5], np.float32))
    folded = Scaling.none(2).folded(head)
    assert (folded.kernel.tolist(), folded.bias.tolist()) == (head.kernel.tolist(), head.bias.tolist())
