"""The losses against values worked out by hand, their derivatives, and the Keras losses of fine-tuning.

With sigmoid(ln 3) = 3/4 the losses come out in logarithms of small numbers: -log 0.75 = 0.287682,
-log 0.25 = 1.386294, -log 0.5 = 0.693147.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from aimonk.training.backend import tf
from aimonk.training.linear_probe.cell_losses import CELL_LOSSES
from aimonk.training.losses import LOSSES

LN3 = float(np.log(3.0))
ONES = np.ones(4)
RARE = np.full(4, 0.1)
NAMES = sorted(CELL_LOSSES)


def cells(
    name: str,
    targets: ArrayLike,
    logits: ArrayLike,
    pos_weight: ArrayLike = ONES,
    prevalence: ArrayLike = RARE,
) -> tuple[np.ndarray, np.ndarray]:
    return CELL_LOSSES[name](np.array(targets), np.array(logits), np.array(pos_weight), np.array(prevalence))


def test_weighted_bce_by_hand() -> None:
    """The derivative is w (p - 1) for a positive and p for a negative."""
    losses, slopes = cells("weighted_bce", [[1.0, 0.0, -1.0, 1.0]], [[LN3, LN3, 5.0, 0.0]], [2, 9, 9, 4])
    np.testing.assert_allclose(losses, [[2 * 0.287682, 1.386294, 0.0, 4 * 0.693147]], rtol=1e-5)
    np.testing.assert_allclose(slopes, [[-2 * 0.25, 0.75, 0.0, -4 * 0.5]], rtol=1e-6)


def test_focal_by_hand() -> None:
    """For a positive at p = 3/4: loss (1/4)^2 0.287682, slope -(1/4)^2 (1/4 + 2 * 3/4 * 0.287682)."""
    losses, slopes = cells("focal", [[1.0, 0.0, -1.0, 1.0]], [[LN3, LN3, 5.0, 0.0]], [2, 9, 9, 4])
    expected = [[2 * 0.0625 * 0.287682, 0.5625 * 1.386294, 0.0, 4 * 0.25 * 0.693147]]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(slopes[0, 0], -2 * 0.0625 * (0.25 + 1.5 * 0.287682), rtol=1e-5)


def test_asymmetric_by_hand() -> None:
    """A negative at p = 0.75: r = 0.7, 0.7^4 * -log 0.3; at p = 0.04 the shift discards it."""
    quiet = float(np.log(0.04 / 0.96))
    losses, slopes = cells("asymmetric", [[1.0, 0.0, 0.0, -1.0]], [[LN3, LN3, quiet, 3.0]], 2 * ONES)
    np.testing.assert_allclose(losses, [[2 * 0.287682, 0.2401 * 1.203973, 0.0, 0.0]], rtol=1e-5)
    # p (1 - p) r^3 (r / (1 - r) - 4 log(1 - r))
    expected = 0.1875 * 0.343 * (7 / 3 + 4 * 1.203973)
    np.testing.assert_allclose(slopes, [[-2 * 0.25, expected, 0.0, 0.0]], rtol=1e-5)


def test_partial_asymmetric_by_hand() -> None:
    """The largest logit of four is never a negative by default; an unknown common attribute neither."""
    losses, slopes = cells(
        "partial_asymmetric",
        [[1.0, 0.0, -1.0, -1.0], [-1.0, 1.0, 0.0, -1.0]],
        [[LN3, 0.0, 0.0, -LN3], [LN3, 0.0, 0.0, 0.0]],
        2 * ONES,
        [0.1, 0.1, 0.6, 0.1],
    )
    expected = [
        [2 * 0.287682, 0.5 * 0.693147, 0.0, 0.0625 * 0.287682],
        [0, 2 * 0.693147, 0.5 * 0.693147, 0.25 * 0.693147],
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    # p^2 (p + 2 (1 - p) * -log(1 - p)) at p = 1/4
    np.testing.assert_allclose(slopes[0, 3], 0.0625 * (0.25 + 1.5 * 0.287682), rtol=1e-5)
    assert slopes[1, 0] == slopes[0, 2] == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_derivative_is_that_of_the_loss(name: str) -> None:
    random = np.random.default_rng(0)
    targets = random.choice([1.0, 0.0, -1.0], size=(200, 9))
    logits = random.normal(scale=3, size=targets.shape)
    weights, prevalence = random.uniform(0.5, 4, 9), random.uniform(0, 0.9, 9)
    step = 1e-6
    up, down = (CELL_LOSSES[name](targets, logits + d, weights, prevalence)[0] for d in (step, -step))
    _, slopes = CELL_LOSSES[name](targets, logits, weights, prevalence)
    np.testing.assert_allclose(slopes, (up - down) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_losses_and_derivatives_are_those_of_keras(name: str) -> None:
    random = np.random.default_rng(1)
    targets = random.choice([1.0, 0.0, -1.0], size=(64, 8))
    logits = random.normal(scale=3, size=targets.shape)
    weights, prevalence = random.uniform(0.5, 4, 8), random.uniform(0, 0.9, 8)
    losses, slopes = CELL_LOSSES[name](targets, logits, weights, prevalence)
    x = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(x)
        expected = LOSSES[name](tf.constant(targets), x, weights, prevalence)
    np.testing.assert_allclose(losses, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(slopes, tape.gradient(expected, x), rtol=1e-6, atol=1e-9)
    arguments = (array.astype(np.float32) for array in (targets, logits, weights, prevalence))
    for coarse, exact in zip(CELL_LOSSES[name](*arguments), (losses, slopes), strict=True):
        assert coarse.dtype == np.float32
        np.testing.assert_allclose(coarse, exact, rtol=1e-4, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 0.0, -1.0]), min_size=4, max_size=4),
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4),
)
def test_extreme_logits_stay_finite_and_unknown_labels_get_no_gradient(
    row: list[float], values: list[float]
) -> None:
    targets, logits = np.array([row], np.float32), np.array([values], np.float32)
    for name in NAMES:
        losses, slopes = CELL_LOSSES[name](targets, logits, ONES.astype(np.float32), RARE.astype(np.float32))
        assert np.isfinite(losses).all() and (losses >= 0).all()
        assert np.isfinite(slopes).all()
        if name != "partial_asymmetric":
            assert (slopes[targets < 0] == 0).all()


def test_an_infinite_logit_of_an_unknown_label_spoils_nothing() -> None:
    losses, slopes = cells("weighted_bce", [[1.0, -1.0, 0.0, 0.0]], [[0.0, np.inf, 0.0, 0.0]])
    np.testing.assert_allclose(losses, [[0.693147, 0.0, 0.693147, 0.693147]], rtol=1e-5)
    np.testing.assert_allclose(slopes, [[-0.5, 0.0, 0.5, 0.5]])
