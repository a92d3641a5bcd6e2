"""Networks saved by Keras, frozen and trainable: TensorFlow is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimonk.backbones.build import build_backbone, import_keras
from aimonk.backbones.keras_file import KerasFile, load_network
from aimonk.backbones.named_backbone import named_backbone
from aimonk.backbones.pooling import Readout
from aimonk.config import FeaturesConfig
from aimonk.errors import BackboneError

keras = import_keras()
layers = keras.layers


def convolution(name: str, width: int) -> Any:
    return layers.Conv2D(width, 3, strides=2, padding="same", activation="relu", name=name)


def nested(vector: bool = False) -> Any:
    """Preprocessing, then a functional model with a shortcut inside a sequential one."""
    pixels = keras.Input((None, None, 4))
    x = convolution("b", 5)(pixels)
    body = keras.Model(pixels, layers.Add()([x, layers.Conv2D(5, 1, name="c")(x)]), name="body")
    last = [layers.GlobalAveragePooling2D()] if vector else []
    parts = [layers.Rescaling(1 / 127.5, -1), convolution("a", 4), layers.BatchNormalization(), body]
    return keras.Sequential([keras.Input((None, None, 3)), *parts, convolution("d", 6), *last])


def opened(path: Path, model: Any, side: int = 64) -> KerasFile:
    model.save(path)
    found = named_backbone(FeaturesConfig(str(path), image_size=side))
    assert isinstance(found, KerasFile)
    return found


def images(side: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)


def test_the_layers_of_models_inside_are_its_own(tmp_path: Path) -> None:
    model = nested()
    network = load_network(keras, opened(tmp_path / "n.keras", model), (96, 96))
    assert [layer.name for layer in network.layers if layer.name in "abcd"] == list("abcd")
    values = images(96).astype(np.float32)
    np.testing.assert_allclose(network(values), model(values), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("vector", [False, True])
def test_features_are_read_off_its_inner_maps(tmp_path: Path, vector: bool) -> None:
    model = nested(vector)
    file = opened(tmp_path / "n.keras", model)
    backbone, weights = build_backbone(file, "imagenet", Readout(64, 64, "pyramid"))
    assert weights == file.path
    found = np.asarray(backbone(images()))
    assert found.shape == (2, 6 * vector + 2 * 6 + 3 * 4 + 3 * 5)
    expected = np.asarray(model(images().astype(np.float32)))
    mean = found[:, :6]
    np.testing.assert_allclose(mean, expected if vector else expected.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
    plain, _ = build_backbone(file, "imagenet", Readout(64, 64, "mean"))
    np.testing.assert_allclose(np.asarray(plain(images())), mean, rtol=1e-4, atol=1e-5)


def test_it_is_fine_tuned_from_a_named_layer_on(tmp_path: Path) -> None:
    from aimonk.backbones.linear_head import LinearHead
    from aimonk.training.finetuning.network import choose_trainable, leaf_layers, model_from_head

    file = opened(tmp_path / "n.keras", nested())
    backbone, _ = build_backbone(file, "imagenet", Readout(64, 64, "mean", colors=2))
    head = LinearHead(np.zeros((backbone.output.shape[1], 2), np.float32), np.zeros(2, np.float32))
    model = model_from_head(backbone, head)
    choose_trainable(model, "b")
    trained = [layer.name for layer in leaf_layers(model) if layer.trainable_variables]
    assert trained == ["b", "c", "d", "attention_0", "attention_1", "logits"]
    other, _ = build_backbone(file, "imagenet", Readout(96, 96, "mean", colors=2))
    other.set_weights(backbone.get_weights())  # as a network trained on one size answers for another


def test_colors_stand_in_the_middle_where_there_is_no_map(tmp_path: Path) -> None:
    pixels = keras.Input((32, 32, 3))
    model = keras.Model(pixels, layers.Dense(3)(layers.Flatten()(pixels)))
    file = opened(tmp_path / "n.keras", model)
    backbone, _ = build_backbone(file, "imagenet", Readout(32, 32, "pyramid", colors=1))
    assert backbone.output.shape == (None, 3 + 161)
    with pytest.raises(BackboneError, match="ends in a vector, so it cannot learn where to look for colors"):
        build_backbone(file, "imagenet", Readout(32, 32, "pyramid", colors=2))


def test_what_cannot_be_loaded_or_is_no_backbone_is_refused(tmp_path: Path) -> None:
    pixels = keras.Input((32, 32, 3))
    code = opened(tmp_path / "code.keras", keras.Model(pixels, layers.Lambda(lambda x: 2 * x)(pixels)))
    with pytest.raises(BackboneError, match="cannot be loaded .*without Lambda"):
        load_network(keras, code, (32, 32))
    two = opened(
        tmp_path / "two.keras", keras.Model(pixels, [layers.Flatten()(pixels), layers.ReLU()(pixels)])
    )
    with pytest.raises(
        BackboneError, match="puts out 2 results; save it with one of them, a map or a vector"
    ):
        load_network(keras, two, (32, 32))


@keras.saving.register_keras_serializable(package="mine")
class Doubling(layers.Layer):  # type: ignore[misc, name-defined]
    def call(self, values: Any) -> Any:
        return 2 * values


def test_a_layer_of_ones_own_is_named(tmp_path: Path) -> None:
    pixels = keras.Input((32, 32, 3))
    file = opened(tmp_path / "own.keras", keras.Model(pixels, Doubling()(pixels)))
    registered = keras.saving.get_custom_objects()
    known = dict(registered)
    registered.clear()
    try:
        with pytest.raises(
            BackboneError, match=r"cannot be loaded \(its layer Doubling is not one of Keras' own\)"
        ):
            load_network(keras, file, (32, 32))
    finally:
        registered.update(known)


@pytest.mark.parametrize(
    "last",
    [layers.Dense(3, activation="softmax"), layers.Dense(3, activation="sigmoid"), layers.Softmax()],
    ids=["softmax", "sigmoid", "layer"],
)
def test_class_scores_are_no_features(tmp_path: Path, last: Any) -> None:
    pixels = keras.Input((32, 32, 3))
    file = opened(tmp_path / "c.keras", keras.Model(pixels, last(layers.GlobalAveragePooling2D()(pixels))))
    with pytest.raises(BackboneError, match="ends in class scores; save the network up to the layer before"):
        load_network(keras, file, (32, 32))
