"""Losses against values worked out by hand.

With sigmoid(ln 3) = 3/4 the cells come out in logarithms of small numbers: -log 0.75 = 0.287682,
-log 0.25 = 1.386294, -log 0.5 = 0.693147.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from aimonk.training.backend import tf
from aimonk.training.losses import LOSSES, asymmetric, batch_loss, focal, partial_asymmetric, weighted_bce

LN3 = float(np.log(3.0))
ONES = tf.ones(4)
RARE = tf.fill([4], 0.1)


def cells(
    function: Callable[..., tf.Tensor],
    targets: ArrayLike,
    logits: ArrayLike,
    pos_weight: tf.Tensor = ONES,
    prevalence: tf.Tensor = RARE,
    **options: float,
) -> np.ndarray:
    losses = function(tf.constant(targets), tf.constant(logits), pos_weight, prevalence, **options)
    return np.asarray(losses)


def test_weighted_bce_by_hand() -> None:
    got = cells(
        weighted_bce, [[1.0, 0.0, -1.0, 1.0]], [[LN3, LN3, 5.0, 0.0]], tf.constant([2.0, 9.0, 9.0, 4.0])
    )
    np.testing.assert_allclose(got, [[2 * 0.287682, 1.386294, 0.0, 4 * 0.693147]], rtol=1e-5)


def test_focal_by_hand() -> None:
    got = cells(focal, [[1.0, 0.0, -1.0, 1.0]], [[LN3, LN3, 5.0, 0.0]], tf.constant([2.0, 9.0, 9.0, 4.0]))
    expected = [[2 * 0.0625 * 0.287682, 0.5625 * 1.386294, 0.0, 4 * 0.25 * 0.693147]]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_focal_without_focus_is_cross_entropy() -> None:
    targets, logits = [[1.0, 0.0, 1.0, 0.0]], [[3.0, 3.0, -50.0, -50.0]]
    np.testing.assert_allclose(
        cells(focal, targets, logits, gamma=0.0), cells(weighted_bce, targets, logits), rtol=1e-6
    )


def test_asymmetric_by_hand() -> None:
    """A negative at p = 0.75: r = 0.7, 0.7^4 * -log 0.3; at p = 0.04 the shift discards it."""
    quiet = float(np.log(0.04 / 0.96))
    got = cells(asymmetric, [[1.0, 0.0, 0.0, -1.0]], [[LN3, LN3, quiet, 3.0]], 2 * ONES)
    np.testing.assert_allclose(got, [[2 * 0.287682, 0.2401 * 1.203973, 0.0, 0.0]], rtol=1e-5)


def test_asymmetric_focus_of_positives_by_hand() -> None:
    got = cells(asymmetric, [[1.0] * 4], [[LN3] * 4], gamma_positive=1.0)
    np.testing.assert_allclose(got, [[0.25 * 0.287682] * 4], rtol=1e-5)


def test_partial_asymmetric_by_hand() -> None:
    """K = 1 of 4 attributes: the most probable cell of each image is never a negative by default."""
    got = cells(
        partial_asymmetric,
        [[1.0, 0.0, -1.0, -1.0], [-1.0, 1.0, 0.0, -1.0]],
        [[LN3, 0.0, 0.0, -LN3], [LN3, 0.0, 0.0, 0.0]],
        2 * ONES,
    )
    expected = [
        [2 * 0.287682, 0.5 * 0.693147, 0.25 * 0.693147, 0.0625 * 0.287682],
        [0.0, 2 * 0.693147, 0.5 * 0.693147, 0.25 * 0.693147],
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_partial_asymmetric_ignores_na_cells_of_common_attributes() -> None:
    prevalence = tf.constant([0.6, 0.5, 0.1, 0.1])
    got = cells(partial_asymmetric, [[-1.0, -1.0, 1.0, 0.0]], [[0.0, 0.0, 9.0, 0.0]], ONES, prevalence)
    np.testing.assert_allclose(got[0, :2], [0.0, 0.25 * 0.693147], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_padding_never_counts(name: str) -> None:
    targets = tf.constant([[1.0, 0.0, -1.0, 0.0]])
    logits = tf.constant([[0.3, -0.2, 0.1, 2.0]])
    loss = batch_loss(name)
    padded = tf.concat([targets, tf.fill([1, 4], -2.0)], 0)
    alone = loss(targets, logits, ONES, RARE)
    np.testing.assert_allclose(
        loss(padded, tf.concat([logits, 100 - logits], 0), ONES, RARE), alone, rtol=1e-6
    )


def test_batch_loss_divides_by_known_cells() -> None:
    loss = batch_loss("weighted_bce")
    targets = tf.constant([[1.0, -1.0], [0.0, -1.0]])
    got = loss(targets, tf.constant([[LN3, 7.0], [LN3, -7.0]]), tf.ones(2), tf.ones(2))
    np.testing.assert_allclose(got, (0.287682 + 1.386294) / 2, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_batch_without_a_known_cell_is_zero(name: str) -> None:
    loss = batch_loss(name)
    logits = tf.constant([[3.0, -3.0, 0.0, 9.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(tf.fill([1, 4], -1.0), logits, ONES, RARE)
    assert value == 0.0
    np.testing.assert_array_equal(tape.gradient(value, logits), np.zeros((1, 4)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 0.0, -1.0, -2.0]), min_size=4, max_size=4),
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4),
)
def test_extreme_logits_stay_finite_and_unknown_cells_get_no_gradient(
    row: list[float], values: list[float]
) -> None:
    targets, logits = tf.constant([row]), tf.constant([values])
    for name in LOSSES:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = batch_loss(name)(targets, logits, ONES, RARE)
        gradient = tape.gradient(value, logits).numpy()
        assert np.isfinite(value) and value >= 0
        assert np.isfinite(gradient).all()
        unused = targets.numpy() == -2 if name == "partial_asymmetric" else targets.numpy() < 0
        np.testing.assert_array_equal(gradient[unused], 0.0)


def test_gradient_of_a_head_of_zeros_by_hand() -> None:
    """p - y for a negative, w (p - 1) for a positive, over two known cells."""
    logits = tf.zeros((1, 2))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = batch_loss("weighted_bce")(
            tf.constant([[1.0, 0.0]]), logits, tf.constant([3.0, 3.0]), tf.ones(2)
        )
    np.testing.assert_allclose(tape.gradient(value, logits), [[-0.75, 0.25]], rtol=1e-6)


def test_infinite_logit_of_an_na_cell_spoils_nothing() -> None:
    logits = tf.constant([[0.0, np.inf]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = batch_loss("weighted_bce")(tf.constant([[1.0, -1.0]]), logits, tf.ones(2), tf.ones(2))
    np.testing.assert_allclose(value, 0.693147, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(value, logits), [[-0.5, 0.0]], rtol=1e-6)
