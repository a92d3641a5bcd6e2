from __future__ import annotations

import numpy as np

from aimonk.backbones.pooling import Readout
from aimonk.training.backend import keras, tf
from aimonk.training.finetuning.joined_moments import moments, moments_joined

from .traced_step import traced_step

MARGINS = ((1, 2), (0, 1))


def moments_by_hand(maps: np.ndarray) -> tuple[np.ndarray, ...]:
    middle = maps[:, 1:-2, :-1]
    return maps.mean((1, 2)), middle.mean((1, 2)), middle.var((1, 2))


def test_moments_are_those_of_the_map_and_its_middle() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(np.float32)
    for found, expected in zip(moments(tf.constant(maps), MARGINS), moments_by_hand(maps), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_is_the_derivative_of_all_three() -> None:
    generator = np.random.default_rng(0)
    maps = generator.normal(size=(2, 6, 5, 3))
    weights = generator.normal(size=(3, 2, 3))

    def total(values: np.ndarray) -> float:
        return float(sum((w * m).sum() for w, m in zip(weights, moments_by_hand(values), strict=True)))

    tensor = tf.constant(maps, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        found = moments(tensor, MARGINS)
        value = sum(
            tf.reduce_sum(moment * weight.astype(np.float32))
            for moment, weight in zip(found, weights, strict=True)
        )
    slopes = tape.gradient(value, tensor).numpy()
    for place in [(0, 0, 0, 0), (0, 2, 1, 1), (1, 5, 2, 0), (1, 3, 4, 2), (1, 1, 0, 2)]:
        step = np.zeros_like(maps)
        step[place] = 1e-4
        slope = (total(maps + step) - total(maps - step)) / 2e-4
        np.testing.assert_allclose(slopes[place], slope, rtol=1e-3, atol=1e-5)


def network() -> keras.Model:
    image = keras.Input((16, 16, 3))
    fine = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="fine")(image)
    coarse = keras.layers.Conv2D(5, 3, strides=2, padding="same", name="coarse")(fine)
    return keras.Model(image, Readout(16, 16, "pyramid").attach(keras, coarse, [fine]))


def test_a_network_says_and_learns_the_same_with_one_gradient_for_the_map() -> None:
    keras.utils.set_random_seed(0)
    model = network()
    images = tf.constant(np.random.default_rng(1).normal(size=(3, 16, 16, 3)), tf.float32)

    expected = traced_step(model, images)
    with moments_joined(model):
        joined = traced_step(model, images)
    again = traced_step(model, images)
    np.testing.assert_allclose(joined.values, expected.values, rtol=1e-4, atol=1e-6)
    for one, other in zip(joined.slopes, expected.slopes, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(again.values, expected.values)
    assert again.operations == expected.operations
    assert joined.operations.count("AddN") < expected.operations.count("AddN")
    assert not any("call" in vars(layer) for layer in model.operations)


def test_a_layer_that_reads_two_maps_is_left_alone() -> None:
    image = keras.Input((8, 8, 3))
    crop = keras.layers.Cropping2D(2)
    twice = keras.layers.Add()([crop(image), crop(keras.layers.ReLU()(image))])
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(twice))
    with moments_joined(model):
        assert not any("call" in vars(layer) for layer in model.operations)
