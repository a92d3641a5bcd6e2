from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from aimonk.backbones.build import build_backbone, import_keras
from aimonk.backbones.color_histogram import (
    SMALLEST_SHARE,
    SOFTNESS,
    attention_prior,
    color_histogram,
    lab,
    palette,
)
from aimonk.backbones.graph import convert
from aimonk.backbones.pooling import Readout
from aimonk.backbones.zoo import parse_backbone
from aimonk.features.engines import OpenVINOEngine, has_bf16

if TYPE_CHECKING:
    import keras


def looking(side: int, rows: int, places: int = 1) -> keras.Model:
    """From images and a map of one feature to what `color_histogram` says, `(N, places, K)`."""
    keras = import_keras()
    pixels, maps = keras.Input((side, side, 3), dtype="uint8"), keras.Input((rows, rows, 1))
    return keras.Model([pixels, maps], keras.ops.stack(color_histogram(keras, pixels, maps, places), axis=1))


def shares(images: np.ndarray, rows: int = 3, maps: np.ndarray | None = None, **weight: float) -> np.ndarray:
    """What it says of one place, without the root."""
    model = looking(images.shape[1], rows)
    model.set_weights([np.full((1, 1, 1, 1), weight.get("attention", 0.0))])
    maps = np.zeros((len(images), rows, rows, 1), np.float32) if maps is None else maps
    return np.asarray(model([images, maps]))[:, 0] ** 2 - SMALLEST_SHARE


def filled(*color: int, side: int = 96) -> np.ndarray:
    return np.full((1, side, side, 3), color, np.uint8)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [  # as any table of sRGB and Lab under D65 has them
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((119, 119, 119), (50.0, 0.0, 0.0)),
        ((255, 0, 0), (53.2, 80.1, 67.2)),
        ((0, 128, 0), (46.2, -51.7, 49.9)),
        ((0, 0, 255), (32.3, 79.2, -107.9)),
        ((2, 2, 2), (0.5, 0.0, 0.0)),
    ],
)
def test_lab_is_that_of_the_tables(rgb: tuple[int, int, int], expected: tuple[float, float, float]) -> None:
    found = lab(import_keras().ops, *np.array(rgb, np.float32))
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_the_palette_has_a_gray_at_each_lightness_and_colors_around_it() -> None:
    found = palette()
    assert found.shape == (161, 3)
    chroma = np.hypot(found[:, 1], found[:, 2])
    assert found[chroma < 1e-9, 0].tolist() == [8, 20, 32, 44, 56, 68, 80, 92]
    assert set(np.round(chroma, 6)) == {0, 10, 25, 50}
    between = np.linalg.norm(found[:, None] - found[None], axis=2) + 1e9 * np.eye(len(found))
    assert between.min() > 8


def test_before_anything_is_learned_the_middle_is_looked_at() -> None:
    np.testing.assert_allclose(attention_prior(3, 3)[1], [-50 / 6, 0, -50 / 6], rtol=1e-5)
    found = np.exp(attention_prior(12, 6))
    assert (found[4:8, 2:4] == 1).all()
    assert found.sum() - 8 < 0.7


def test_an_image_of_one_color_is_the_softmax_of_its_distances() -> None:
    seen = np.array(lab(import_keras().ops, *np.array([200, 30, 60], np.float32)))
    weights = np.exp(-((palette() - seen) ** 2).sum(axis=1) / (2 * SOFTNESS**2))
    np.testing.assert_allclose(shares(filled(200, 30, 60))[0], weights / weights.sum(), atol=1e-5)


def test_the_middle_is_seen_and_its_parts_by_their_area() -> None:
    image = filled(0, 0, 255)
    image[:, 32:64, 32:64] = filled(250, 240, 20)[:, :32, :32]
    np.testing.assert_allclose(shares(image), shares(filled(250, 240, 20)), atol=2e-3)
    image[:, 32:64, 32:40] = filled(10, 10, 10)[:, :32, :8]
    expected = 0.25 * shares(filled(10, 10, 10)) + 0.75 * shares(filled(250, 240, 20))
    np.testing.assert_allclose(shares(image), expected, atol=2e-3)


def test_what_has_learned_where_to_look_sees_that_place() -> None:
    image, maps = filled(0, 0, 255), np.zeros((1, 3, 3, 1), np.float32)
    image[:, :32, 64:] = filled(250, 240, 20)[:, :32, :32]
    maps[0, 0, 2] = 1.0
    np.testing.assert_allclose(shares(image, 3, maps), shares(filled(0, 0, 255)), atol=2e-3)
    seen = shares(image, 3, maps, attention=40.0)
    np.testing.assert_allclose(seen, shares(filled(250, 240, 20)), atol=2e-3)


def test_further_places_begin_unlike_the_first_and_alike_every_time() -> None:
    first, second, third = (weight[0, 0, 0, 0] for weight in looking(64, 2, places=3).get_weights())
    assert first == 0
    assert 0 < abs(second) < 0.1 and 0 < abs(third) < 0.1 and second != third
    again = looking(64, 2, places=2).get_weights()
    assert again[1][0, 0, 0, 0] == second


@pytest.mark.parametrize(("side", "rows"), [(32, 1), (75, 3), (224, 7), (299, 8), (384, 12), (64, 16)])
def test_shares_add_up_at_any_size(side: int, rows: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    np.testing.assert_allclose(shares(images, rows).sum(axis=1), 1, atol=1e-4)


def test_they_follow_the_features_and_are_exact_where_the_backbone_computes_in_bf16() -> None:
    backbone = parse_backbone("mobilenet@0.25")
    plain, with_colors = (
        build_backbone(backbone, "none", Readout(96, 96, "pyramid", colors=places))[0] for places in (0, 1)
    )
    images = np.random.default_rng(1).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    both, features = np.asarray(with_colors(images)), np.asarray(plain(images))
    np.testing.assert_allclose(both[:, : features.shape[1]], features, rtol=1e-5)
    color = both[:, features.shape[1] :]
    np.testing.assert_allclose(color**2 - SMALLEST_SHARE, shares(images), atol=1e-5)
    engine = OpenVINOEngine(convert(with_colors, "features"), "bf16" if has_bf16() else "f32")
    np.testing.assert_allclose(engine.embed(images)[:, features.shape[1] :], color, atol=1e-5)
