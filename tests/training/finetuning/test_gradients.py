from __future__ import annotations

import numpy as np

from aimonk.training.backend import keras, tf
from aimonk.training.finetuning.gradients import gradients, pairwise_sums


def test_they_are_the_derivatives() -> None:
    x, y = keras.Variable([2.0, 3.0]), keras.Variable(4.0)

    @tf.function
    def of_square() -> list[tf.Tensor]:
        return gradients(tf.reduce_sum(x.value**2) * y.value, [x, y])

    with pairwise_sums():
        first, second = of_square()
    np.testing.assert_array_equal(first, [16.0, 24.0])
    np.testing.assert_array_equal(second, 13.0)


def test_gradients_that_meet_are_added_up_in_pairs() -> None:
    """Four uses of one variable: where more than two met in one sum, their order would be left to chance."""
    x = keras.Variable(np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32))

    @tf.function
    def of_four() -> list[tf.Tensor]:
        value = x.value
        loss = tf.reduce_sum(tf.sin(value) + value**3 + tf.exp(value) + 1 / (2 + tf.cos(value)))
        return gradients(loss, [x])

    graph = of_four.get_concrete_function().graph.as_graph_def()
    sums = [len(node.input) for node in graph.node if node.op == "AddN"]
    assert sums == [2, 2, 2]


def test_the_option_is_put_back() -> None:
    before = tf.config.optimizer.get_experimental_options()
    with pairwise_sums():
        assert tf.config.optimizer.get_experimental_options()["arithmetic_optimization"] is False
    assert tf.config.optimizer.get_experimental_options() == {"arithmetic_optimization": True} | before
