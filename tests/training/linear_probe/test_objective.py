from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aimonk.config import TrainingConfig
from aimonk.features import image_vectors
from aimonk.features.image_vectors import ImageVectors
from aimonk.training.linear_probe.objective import FilledLabels, Objective
from aimonk.training.linear_probe.scaling import Scaling


def problem(loss: str = "weighted_bce", l2: float = 0.3) -> tuple[Objective, np.ndarray]:
    random = np.random.default_rng(0)
    vectors = (random.normal(size=(60, 5)) * [1, 2, 3, 4, 5] + 3).astype(np.float32)
    targets = random.choice([1.0, 0.0, -1.0], size=(60, 3)).astype(np.float32)
    train = np.arange(0, 60, 2)
    config = TrainingConfig(loss=loss, l2=l2)  # type: ignore[arg-type]
    return Objective.of(ImageVectors.of(vectors), targets, train, config), train


def test_loss_gradient_and_penalty_by_hand() -> None:
    """Two known cells at the logit 0: loss log 2; slopes -1/2 and 1/2, over 2 cells, times the feature.

    The penalty is l2 * D / C = 0.5 * 1 / 2, its gradient twice that times the kernel.
    """
    vectors = ImageVectors.of(np.array([[4.0], [2.0], [9.0]], np.float32))
    targets = np.array([[1.0], [0.0], [-1.0]], np.float32)
    config = TrainingConfig(l2=0.5, scale_features=False, pos_weight_power=0.0)
    objective = Objective.of(vectors, targets, np.arange(3), config)
    assert objective.penalty == 0.25
    zero = np.zeros((1, 1), np.float32)
    loss, kernel, bias = objective.gradient(zero, np.zeros(1, np.float32), np.arange(3), np.arange(3))
    np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)
    np.testing.assert_allclose(kernel, [[-0.5 * (4 - 2) / 2]], rtol=1e-6)
    np.testing.assert_allclose(bias, [0.0], atol=1e-7)
    ones = np.ones((1, 1), np.float32)
    penalized, free = (
        chosen.gradient(ones, np.zeros(1, np.float32), np.arange(3), np.arange(3))[1]
        for chosen in (objective, dataclasses.replace(objective, penalty=0.0))
    )
    np.testing.assert_allclose(penalized - free, [[0.5]], rtol=1e-6)


@pytest.mark.parametrize("loss", ["weighted_bce", "focal", "asymmetric", "partial_asymmetric"])
def test_the_gradient_is_that_of_loss_and_penalty_on_scaled_features(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numerically, and over blocks of seven rows."""
    monkeypatch.setattr(image_vectors, "BLOCK_BYTES", 4 * 5 * 7)
    objective, train = problem(loss)
    random = np.random.default_rng(1)
    kernel, bias = random.normal(size=(5, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)
    _, by_kernel, by_bias = objective.gradient(kernel, bias, train, train)

    def total(kernel: np.ndarray, bias: np.ndarray) -> float:
        return objective.value(kernel, bias, train) + objective.penalty * float((kernel**2).sum())

    step = np.float32(1e-2)
    for at in np.ndindex(kernel.shape):
        moved = np.zeros_like(kernel)
        moved[at] = step
        slope = (total(kernel + moved, bias) - total(kernel - moved, bias)) / (2 * step)
        np.testing.assert_allclose(by_kernel[at], slope, atol=2e-3)
    for j in range(3):
        moved = np.zeros_like(bias)
        moved[j] = step
        slope = (total(kernel, bias + moved) - total(kernel, bias - moved)) / (2 * step)
        np.testing.assert_allclose(by_bias[j], slope, atol=2e-3)


def test_blocks_do_not_change_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    objective, train = problem()
    kernel, bias = np.ones((5, 3), np.float32), np.zeros(3, np.float32)
    whole: tuple[float | np.ndarray, ...] = objective.gradient(kernel, bias, train, train)
    monkeypatch.setattr(image_vectors, "BLOCK_BYTES", 4 * 5 * 7)
    parts: tuple[float | np.ndarray, ...] = objective.gradient(kernel, bias, train, train)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_the_standardized_copy_gives_the_same_gradient() -> None:
    objective, train = problem()
    scaling = objective.scaling
    scaled = ((objective.vectors.matrix - scaling.mean) / scaling.scale).astype(np.float32)
    copied = dataclasses.replace(objective, vectors=ImageVectors.of(scaled), scaling=Scaling.none(5))
    kernel, bias = np.ones((5, 3), np.float32), np.ones(3, np.float32)
    whole: tuple[float | np.ndarray, ...] = objective.gradient(kernel, bias, train, train)
    standardized: tuple[float | np.ndarray, ...] = copied.gradient(kernel, bias, train, train)
    for one, other in zip(whole, standardized, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_images_without_a_known_label_have_no_loss() -> None:
    objective, _ = problem(l2=0.0)
    unknown = dataclasses.replace(objective, targets=np.full((60, 3), -1, np.float32))
    rows = np.arange(4)
    loss, kernel, bias = unknown.gradient(np.ones((5, 3), np.float32), np.ones(3, np.float32), rows, rows)
    assert (loss, np.abs(kernel).max(), np.abs(bias).max()) == (0, 0, 0)
    assert unknown.value(np.ones((5, 3), np.float32), np.ones(3, np.float32), rows) == 0


def test_a_filled_label_pulls_with_its_weight_and_is_not_validated() -> None:
    """One image, one feature: a person's label and a filled one of the other attribute, at logits of 0."""
    vectors = ImageVectors.of(np.ones((1, 1), np.float32))
    targets, filled = np.array([[1.0, -1.0]], np.float32), np.array([[0.0, 0.0]], np.float32)
    config = TrainingConfig(l2=0.0, scale_features=False, pos_weight_power=0.0)
    objective = Objective.of(vectors, targets, np.arange(1), config, FilledLabels(filled, 0.5))
    kernel, bias, rows = np.zeros((1, 2), np.float32), np.zeros(2, np.float32), np.arange(1)
    loss, by_kernel, by_bias = objective.gradient(kernel, bias, rows, rows)
    # softplus(0) = log 2 for each label, weighed by 1 and 0.5, over 1.5 labels; the slopes are -0.5 and 0.5
    assert loss == pytest.approx(np.log(2))
    assert by_bias.tolist() == pytest.approx([-0.5 / 1.5, 0.25 / 1.5])
    assert by_kernel[0].tolist() == pytest.approx(by_bias.tolist())
    assert objective.value(kernel, bias + np.array([0, 9], np.float32), rows) == pytest.approx(np.log(2))
