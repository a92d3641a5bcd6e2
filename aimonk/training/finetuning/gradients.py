"""Gradients that are the same, bit for bit, whenever they are computed from the same numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..backend import keras, tf
from ..losses import Tensor


def gradients(loss: Tensor, variables: list[keras.Variable]) -> list[Tensor]:
    """Of a scalar with respect to each variable, inside a `tf.function` that runs in `pairwise_sums`.

    Where a map is read in three places, three gradients are added up. TensorFlow's AddN writes their sum into
    the buffer of whichever of them nobody else is reading at that moment, and begins with that one, so the
    order of the additions, and with it the last bits, are a matter of timing (a `GradientTape` knows no other
    way). Sums of two are exact in either order: a + b = b + a.
    """
    values = [variable.value for variable in variables]
    found: list[Tensor] = tf.gradients(
        loss, values, aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE
    )
    return found


@contextlib.contextmanager
def pairwise_sums() -> Iterator[None]:
    """Meanwhile TensorFlow's optimizer of graphs makes no sum of many out of sums of two."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options(
            {"arithmetic_optimization": before.get("arithmetic_optimization", True)}
        )
