from __future__ import annotations

import numpy as np
import pytest

from aimonk.backbones.build import import_keras
from aimonk.backbones.pooling import Readout, readout
from aimonk.backbones.zoo import parse_backbone
from aimonk.config import FeaturesConfig

MAP = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1) - 4  # rows -4..-1, 0..3, 4..7, 8..11


def read(how: Readout, maps: np.ndarray) -> np.ndarray:
    keras = import_keras()
    inputs = keras.Input(maps.shape[1:])
    return np.asarray(keras.Model(inputs, how.attach(keras, inputs))(maps))


def test_mean_is_over_all_positions_and_center_over_the_middle_half() -> None:
    np.testing.assert_allclose(read(Readout(32, 32), MAP), [[3.5]])
    # the middle of the map is 1, 2, 5, 6; its mean is 3.5, so an odd map tells the two apart
    odd = np.zeros((1, 5, 5, 1), np.float32)
    odd[0, 1:4, 1:4] = 25.0
    np.testing.assert_allclose(read(Readout(32, 32, "mean+center"), odd), [[9.0, 25.0]])


def test_a_pyramid_reads_mean_center_and_the_spread_of_the_center_of_finer_maps() -> None:
    keras = import_keras()
    last, fine = keras.Input((4, 4, 1)), keras.Input((8, 8, 1))
    features = Readout(32, 32, "pyramid").attach(keras, last, [fine])
    maps = np.zeros((1, 8, 8, 1), np.float32)
    maps[0, 2:6, 2:6] = np.array([1.0, 5.0] * 8).reshape(1, 4, 4, 1)
    found = keras.Model([last, fine], features)([MAP, maps])
    # the finer map: 16 of 64 positions have a mean of 3, its middle 3 with a standard deviation of 2
    np.testing.assert_allclose(found, [[3.5, 3.5, 0.75, 3.0, 2.0]], atol=2e-3)


def test_the_spread_has_a_slope_where_there_is_none() -> None:
    keras = import_keras()
    import tensorflow as tf

    last, fine = keras.Input((4, 4, 1)), keras.Input((8, 8, 2))
    model = keras.Model([last, fine], Readout(32, 32, "pyramid").attach(keras, last, [fine]))
    maps = tf.ones((1, 8, 8, 2))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        value = tf.reduce_sum(model([tf.constant(MAP), maps]))
    assert np.isfinite(tape.gradient(value, maps).numpy()).all()


@pytest.mark.parametrize(
    ("backbone", "resolution", "side"),
    [
        ("efficientnetb1", 1.0, 240),
        ("resnet50", 12 / 7, 384),
        ("efficientnetb1", 1.1, 256),
        ("resnet50", 0.25, 64),
    ],
)
def test_the_size_is_a_multiple_of_the_backbones_own(backbone: str, resolution: float, side: int) -> None:
    config = FeaturesConfig(resolution=resolution, pooling="mean+center")
    found = readout(config, parse_backbone(backbone))
    assert found.size == (side, side)
    assert str(found) == "mean+center-colors1"
