from __future__ import annotations

import numpy as np
import pytest

from aimonk.features.backbones import build_backbone, import_keras
from aimonk.features.colours import SMALLEST_SHARE, SOFTNESS, colours, lab, palette
from aimonk.features.engines import OpenVINOEngine, has_bf16
from aimonk.features.graph_file import convert
from aimonk.features.readout import Readout
from aimonk.features.zoo import parse_backbone


def shares(images: np.ndarray) -> np.ndarray:
    """What `colours` says, without the root."""
    keras = import_keras()
    pixels = keras.Input(images.shape[1:], dtype="uint8")
    return np.asarray(keras.Model(pixels, colours(keras, pixels))(images)) ** 2 - SMALLEST_SHARE


def filled(*colour: int, side: int = 96) -> np.ndarray:
    return np.full((1, side, side, 3), colour, np.uint8)


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
    found = lab(import_keras().ops, np.array(rgb, np.float32))
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_the_palette_has_a_grey_at_each_lightness_and_colours_around_it() -> None:
    found = palette()
    assert found.shape == (161, 3)
    chroma = np.hypot(found[:, 1], found[:, 2])
    assert found[chroma < 1e-9, 0].tolist() == [8, 20, 32, 44, 56, 68, 80, 92]
    assert set(np.round(chroma, 6)) == {0, 10, 25, 50}
    between = np.linalg.norm(found[:, None] - found[None], axis=2) + 1e9 * np.eye(len(found))
    assert between.min() > 8


def test_an_image_of_one_colour_is_the_softmax_of_its_distances() -> None:
    seen = np.array(lab(import_keras().ops, np.array([200, 30, 60], np.float32)))
    weights = np.exp(-((palette() - seen) ** 2).sum(axis=1) / (2 * SOFTNESS**2))
    np.testing.assert_allclose(shares(filled(200, 30, 60))[0], weights / weights.sum(), atol=1e-5)


def test_only_the_middle_third_is_seen_and_its_parts_by_their_area() -> None:
    image = filled(0, 0, 255)
    image[:, 32:64, 32:64] = filled(250, 240, 20)[:, :32, :32]
    np.testing.assert_allclose(shares(image), shares(filled(250, 240, 20)), atol=1e-5)
    image[:, 32:64, 32:40] = filled(10, 10, 10)[:, :32, :8]
    expected = 0.25 * shares(filled(10, 10, 10)) + 0.75 * shares(filled(250, 240, 20))
    np.testing.assert_allclose(shares(image), expected, atol=1e-5)


@pytest.mark.parametrize("side", [32, 75, 224, 384])
def test_shares_add_up_at_any_size(side: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    np.testing.assert_allclose(shares(images).sum(axis=1), 1, atol=1e-4)


def test_they_follow_the_features_and_are_exact_where_the_backbone_computes_in_bf16() -> None:
    backbone = parse_backbone("mobilenet@0.25")
    plain, with_colours = (
        build_backbone(backbone, "none", Readout(64, 64, "pyramid", colours=flag))[0]
        for flag in (False, True)
    )
    images = np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    both, features = np.asarray(with_colours(images)), np.asarray(plain(images))
    np.testing.assert_allclose(both[:, : features.shape[1]], features, rtol=1e-5)
    colour = both[:, features.shape[1] :]
    np.testing.assert_allclose(colour**2 - SMALLEST_SHARE, shares(images), atol=1e-5)
    engine = OpenVINOEngine(convert(with_colours, "features"), "bf16" if has_bf16() else "f32")
    np.testing.assert_allclose(engine.embed(images)[:, features.shape[1] :], colour, atol=1e-5)
