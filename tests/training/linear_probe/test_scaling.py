from __future__ import annotations

import numpy as np
import pytest

from aimonk.backbones.linear_head import LinearHead
from aimonk.features import image_vectors
from aimonk.features.image_vectors import ImageVectors
from aimonk.training.linear_probe.scaling import Scaling


def test_moments_are_those_of_the_chosen_images_and_all_views() -> None:
    views = np.array([[[1.0, 5.0], [100.0, 100.0], [3.0, 5.0]], [[5.0, 5.0], [100.0, 0.0], [7.0, 5.0]]])
    scaling = Scaling.of(ImageVectors.of(views.astype(np.float32)), np.array([0, 2]))
    np.testing.assert_allclose(scaling.mean, [4.0, 5.0])
    np.testing.assert_allclose(scaling.scale, [5**0.5, 1.0])  # (9 + 1 + 1 + 9) / 4; a constant has 1


def test_moments_of_large_numbers_over_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spread of 1 about 10,000, whose squares float32 cannot tell apart."""
    monkeypatch.setattr(image_vectors, "BLOCK_BYTES", 4 * 3 * 50)
    random = np.random.default_rng(0)
    vectors = (random.normal(size=(777, 3)) + [0, 100, 10_000]).astype(np.float32)
    scaling = Scaling.of(ImageVectors.of(vectors), np.arange(777)[::-1])
    np.testing.assert_allclose(scaling.mean, vectors.mean(axis=0, dtype=np.float64), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scaling.scale, vectors.std(axis=0, dtype=np.float64), rtol=1e-4)


def test_a_folded_head_gives_raw_features_the_logits_of_scaled_ones() -> None:
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


def test_the_gradient_by_the_scaled_kernel_by_hand() -> None:
    """Features 3 and 5 are 1 and 2 when scaled by (f - 1) / 2; with R = (10, 1): 1 * 10 + 2 * 1 = 12."""
    scaling = Scaling(np.array([1.0]), np.array([2.0]))
    features, slopes = np.array([[3.0], [5.0]]), np.array([[10.0], [1.0]])
    np.testing.assert_allclose(scaling.gradient(features.T @ slopes, slopes.sum(axis=0)), [[12.0]])


def test_no_scaling_changes_nothing() -> None:
    head = LinearHead(np.array([[2.0], [8.0]], np.float32), np.array([0.5], np.float32))
    folded = Scaling.none(2).folded(head)
    assert (folded.kernel.tolist(), folded.bias.tolist()) == (head.kernel.tolist(), head.bias.tolist())


def test_a_weight_is_the_spread_that_a_feature_is_seen_with() -> None:
    vectors = ImageVectors.of(np.array([[1.0, 0.0], [3.0, 8.0]], np.float32))
    scaling = Scaling.of(vectors, np.arange(2), np.array([1.0, 3.0]))
    np.testing.assert_allclose(scaling.scale, [1.0, 4 / 3])
    seen = (vectors.matrix - scaling.mean) / scaling.scale
    np.testing.assert_allclose(seen.std(axis=0), [1.0, 3.0])
