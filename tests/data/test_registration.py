from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from aimonk.data.photo_likeness import likeness, smooth
from aimonk.data.registration import register

Box = tuple[float, float, float, float]


def thumbnail(image: Image.Image) -> np.ndarray:
    small = image.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    return np.asarray(small, np.float32)[None]


@pytest.mark.parametrize(
    ("box", "zoom"),
    [
        ((0.02, 0.02, 0.98, 0.98), 0.96),
        ((0.05, 0.05, 0.95, 0.95), 0.96),
        ((0.0, 0.0, 1.0, 0.95), 1.0),
        ((0.04, 0.0, 1.0, 1.0), 1.0),
        ((0.01, 0.03, 0.97, 1.0), 0.96),
    ],
)
def test_a_photo_is_laid_over_its_inner_part(
    photo: Callable[[int], Image.Image], box: Box, zoom: float
) -> None:
    for number in range(5):
        image = photo(number).resize((600, 450), Image.Resampling.BICUBIC)
        left, top, right, bottom = np.multiply(box, (600, 450, 600, 450)).round().astype(int).tolist()
        one, other = thumbnail(image), thumbnail(image.crop((left, top, right, bottom)))
        laid = register(one, other, zoom)
        assert likeness(smooth(laid), smooth(other))[0] > 0.995
        assert likeness(smooth(laid), smooth(other))[0] > likeness(smooth(one), smooth(other))[0]


def test_brightness_is_seen_through_and_left_as_it_is(photo: Callable[[int], Image.Image]) -> None:
    one = thumbnail(photo(3))
    laid = register(one, 20 + 0.7 * one)
    assert np.abs(laid - one)[:, 1:-1, 1:-1].max() < 0.5


def test_an_image_of_one_color_is_left_alone() -> None:
    flat = np.full((2, 32, 32), 7, np.float32)
    assert register(flat, flat) == pytest.approx(flat, abs=1e-3)
