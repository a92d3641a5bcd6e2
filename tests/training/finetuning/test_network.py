from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aimonk.backbones.linear_head import LinearHead
from aimonk.errors import BackboneError
from aimonk.training.backend import keras
from aimonk.training.finetuning.network import choose_trainable, leaf_layers, model_from_head
from aimonk.training.linear_probe.scaling import Scaling

HEAD = LinearHead(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0.5, -1], np.float32))


def backbone() -> keras.Model:
    """As `build_backbone` has it: pixels, an inner network in inference mode, the mean over positions."""
    layers = keras.layers
    maps = [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="one"), layers.BatchNormalization(name="norm")]
    inner = keras.Sequential([*maps, layers.ReLU(), layers.Conv2D(3, 3, name="two")], name="inner")
    pixels = keras.Input((8, 8, 3), dtype="uint8")
    x = inner(keras.layers.Rescaling(1 / 255)(pixels), training=False)
    return keras.Model(pixels, layers.GlobalAveragePooling2D()(x), name="backbone")


def test_the_model_is_backbone_then_head() -> None:
    body = backbone()
    model = model_from_head(body, HEAD)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype(np.uint8)
    expected = HEAD.logits(body.predict_on_batch(images))
    np.testing.assert_allclose(model.predict_on_batch(images), expected, rtol=1e-5)
    assert model.output.name.startswith("keras_tensor") and model.layers[-1].name == "logits"


def test_the_last_layer_is_the_head() -> None:
    kernel, bias = model_from_head(backbone(), HEAD).get_layer("logits").get_weights()
    np.testing.assert_array_equal(kernel, HEAD.kernel)
    np.testing.assert_array_equal(bias, HEAD.bias)


def test_a_model_that_scales_features_says_the_same() -> None:
    body = backbone()
    scaling = Scaling(np.array([0.5, -1.0, 0.0]), np.array([2.0, 0.25, 1.0]))
    model = model_from_head(body, HEAD, scaling)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype(np.uint8)
    expected = HEAD.logits(body.predict_on_batch(images))
    np.testing.assert_allclose(model.predict_on_batch(images), expected, rtol=1e-4, atol=1e-5)
    kernel, _ = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(kernel, HEAD.kernel * scaling.scale[:, None])


def test_dropout_is_for_training_only(tmp_path: Path) -> None:
    body = backbone()
    model = model_from_head(body, HEAD, dropout=0.5)
    images = np.full((64, 8, 8, 3), 200, np.uint8)
    choose_trainable(model, 1)  # batch normalization stays as it is
    served, trained = (np.asarray(model(images, training=training)) for training in (False, True))
    np.testing.assert_allclose(served, HEAD.logits(body.predict_on_batch(images)), rtol=1e-5)
    assert len(np.unique(trained, axis=0)) > 1  # equal images, unequal features left out
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict_on_batch(images), served, rtol=1e-5)


@pytest.mark.parametrize(
    ("last_layers", "trained"),
    [
        (0, ["one", "two", "logits"]),
        (1, ["two", "logits"]),
        (2, ["two", "logits"]),
        (9, ["one", "two", "logits"]),
    ],
)
def test_trainable_layers(last_layers: int, trained: list[str]) -> None:
    """The batch normalization counts as one of the last layers, and is never trained."""
    model = model_from_head(backbone(), HEAD)
    choose_trainable(model, 1)  # what an earlier call has chosen does not matter
    choose_trainable(model, last_layers)
    assert [layer.name for layer in leaf_layers(model) if layer.trainable_variables] == trained


@pytest.mark.parametrize(
    ("name", "trained"),
    [("two", ["two", "logits"]), ("norm", ["two", "logits"]), ("one", ["one", "two", "logits"])],
)
def test_the_first_trained_layer_can_be_named(name: str, trained: list[str]) -> None:
    model = model_from_head(backbone(), HEAD)
    choose_trainable(model, name)
    assert [layer.name for layer in leaf_layers(model) if layer.trainable_variables] == trained
    with pytest.raises(BackboneError, match="names the layer 'too', .* does not have; similar ones are two"):
        choose_trainable(model, "too")


def test_what_says_where_to_look_is_always_trained() -> None:
    body = backbone()
    maps = body.get_layer("inner").output
    attention = keras.layers.Conv2D(1, 1, name="attention_0")(keras.layers.Conv2D(2, 1, name="three")(maps))
    features = keras.layers.Concatenate()([body.output, keras.layers.Flatten()(attention)])
    head = LinearHead(np.ones((features.shape[1], 2), np.float32), np.zeros(2, np.float32))
    model = model_from_head(keras.Model(body.input, features), head)
    choose_trainable(model, 1)
    trained = [layer.name for layer in leaf_layers(model) if layer.trainable_variables]
    assert trained == ["three", "attention_0", "logits"]
