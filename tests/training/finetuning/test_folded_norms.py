from __future__ import annotations

import numpy as np
import pytest

from aimonk.training.backend import keras, tf
from aimonk.training.finetuning.folded_norms import foldable, norms_folded

from .traced_step import traced_step

L = keras.layers


def network(trainable: bool = False) -> keras.Model:
    """Convolutions of each kind in an inner model, and normalizations with unlike statistics."""
    image = keras.Input((9, 9, 3))
    x = L.BatchNormalization(name="norm1", epsilon=0.1)(L.Conv2D(4, 3, strides=2, name="one")(image))
    x = L.ReLU(6.0)(x)
    deep = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False, name="deep")
    x = L.BatchNormalization(name="norm2", scale=False)(deep(x))
    x = L.BatchNormalization(name="norm3", center=False)(L.Conv2D(5, 1, use_bias=False, name="two")(x))
    inner = keras.Model(image, x, name="inner")
    pixels = keras.Input((9, 9, 3), dtype="uint8")
    maps = inner(L.Rescaling(1 / 255)(pixels), training=False)
    model = keras.Model(pixels, L.GlobalAveragePooling2D()(maps))
    generator = np.random.default_rng(0)
    for layer in inner.layers:
        layer.set_weights([generator.uniform(0.5, 2, value.shape) for value in layer.get_weights()])
        if isinstance(layer, L.BatchNormalization):
            layer.trainable = trainable
    return model


def names(model: keras.Model) -> list[tuple[str, str]]:
    return [(convolution.name, norm.name) for convolution, norm in foldable(model)]


def test_each_convolution_is_found_with_its_normalization() -> None:
    assert names(network()) == [("one", "norm1"), ("deep", "norm2"), ("two", "norm3")]


def test_values_and_gradients_are_those_of_the_layers_one_by_one() -> None:
    model = network()
    images = tf.constant(np.random.default_rng(1).integers(0, 256, (4, 9, 9, 3)), tf.uint8)

    expected = traced_step(model, images)
    with norms_folded(model):
        folded = traced_step(model, images)
    again = traced_step(model, images)
    np.testing.assert_allclose(folded.values, expected.values, rtol=1e-5)
    assert [slope.shape for slope in expected.slopes] == [(3, 3, 3, 4), (4,), (3, 3, 4, 2), (1, 1, 8, 5)]
    for one, other in zip(folded.slopes, expected.slopes, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())
    np.testing.assert_array_equal(again.values, expected.values)
    assert len(folded.operations) < len(expected.operations) == len(again.operations)


def test_what_is_trained_stays() -> None:
    assert names(network(trainable=True)) == []


@pytest.mark.parametrize("kind", ["read twice", "activation", "groups", "an output"])
def test_what_does_not_fold_stays(kind: str) -> None:
    image = keras.Input((8, 8, 4))
    convolution = L.Conv2D(
        4, 3, activation="relu" if kind == "activation" else None, groups=2 if kind == "groups" else 1
    )
    maps = convolution(image)
    norm = L.BatchNormalization(trainable=False)
    normed = norm(maps)
    outputs = {"read twice": L.Add()([maps, normed]), "an output": [maps, normed]}.get(kind, normed)
    assert names(keras.Model(image, outputs)) == []


def test_layers_are_as_they_were_afterwards() -> None:
    model = network()
    layers = [layer for pair in foldable(model) for layer in pair]
    with pytest.raises(KeyError), norms_folded(model):
        assert all("call" in vars(layer) for layer in layers)
        raise KeyError
    assert not any("call" in vars(layer) for layer in layers)
