from __future__ import annotations

import pytest

from aimonk.backbones.build import import_keras
from aimonk.backbones.feature_pyramid import keras_pyramid, scale_of


@pytest.mark.parametrize(
    ("function", "side", "expected"),
    [
        (
            "MobileNet",
            128,
            {"conv_pw_1_relu": 64, "conv_pw_3_relu": 32, "conv_pw_5_relu": 16, "conv_pw_11_relu": 8},
        ),
        (
            "ResNet50",
            64,
            {"conv1_relu": 32, "conv2_block3_out": 16, "conv3_block4_out": 8, "conv4_block6_out": 4},
        ),
        (  # convolves without padding: 147 of 299 pixels are half of them
            "InceptionV3",
            299,
            {"activation_20": 147, "activation_22": 71, "activation_46": 35, "activation_92": 17},
        ),
    ],
)
def test_the_last_map_of_every_scale_but_the_deepest(
    function: str, side: int, expected: dict[str, int]
) -> None:
    keras = import_keras()
    keras.backend.clear_session()  # names are numbered
    backbone = getattr(keras.applications, function)(
        include_top=False, weights=None, input_shape=(side, side, 3)
    )
    found = list(keras_pyramid(backbone).values())[:-1]
    assert [tensor.shape[1] for tensor in found] == list(expected.values())
    producers = [next(layer.name for layer in backbone.layers if layer.output is tensor) for tensor in found]
    if function != "InceptionV3":  # its layers have numbers for names
        assert producers == list(expected)


def test_padding_is_no_map_and_a_backbone_may_skip_a_scale() -> None:
    keras = import_keras()
    pixels = keras.Input((64, 64, 3))
    quarter = keras.layers.Conv2D(4, 4, strides=4, name="quarter")(pixels)
    padded = keras.layers.ZeroPadding2D()(quarter)
    deepest = keras.layers.Conv2D(8, 4, strides=4, name="deepest")(padded)
    backbone = keras.Model(pixels, keras.layers.ReLU()(deepest))
    found = keras_pyramid(backbone)
    assert list(found) == [2, 4]
    assert found[2] is quarter


@pytest.mark.parametrize(
    ("sides", "size", "scale"),
    [
        ((7, 7), (224, 224), 5),
        ((8, 8), (299, 299), 5),  # convolved without padding
        ((7, 14), (224, 448), 5),
        ((7, 14), (224, 224), None),
        ((224, 224), (224, 224), None),
        ((50, 50), (64, 64), None),
    ],
)
def test_the_scale_is_that_of_both_sides(
    sides: tuple[int, int], size: tuple[int, int], scale: int | None
) -> None:
    assert scale_of(sides, size) == scale
