from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from aimonk.data.fingerprint import look_at
from aimonk.data.perceptual_hash import SIDE
from aimonk.data.photo_likeness import hashes_without_border, likeness, smooth, tone, without_border


def test_likeness_is_the_cosine_of_the_gradients() -> None:
    # An edge of height 100, against the same and one of 50: 100 * 100 / (100 * sqrt(100**2 + 50**2)).
    one, other = np.zeros((2, 1, 32, 32), np.float32)
    one[:, :, 8:] = 100
    other[:, :, 8:] = 100
    other[:, :, 16:] = 150
    assert likeness(one, other) == pytest.approx([2 / np.sqrt(5)], abs=1e-6)
    assert likeness(one, 255 - one) == pytest.approx([-1])
    assert likeness(one, np.full_like(one, 9)) == pytest.approx([0])
    assert tone(one, other).tolist() == [50]


def test_smoothing_weighs_neighbors_by_1_2_1() -> None:
    dot = np.zeros((1, 5, 5), np.float32)
    dot[0, 2, 2] = 16
    assert smooth(dot)[0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_the_hash_without_a_cut_is_the_fingerprints(
    photo: Callable[[int], Image.Image], encode: Callable[..., bytes]
) -> None:
    pictures = [look_at(encode(photo(number))) for number in range(20)]
    gray = np.array([np.frombuffer(picture.thumbnail or b"", np.uint8) for picture in pictures])
    gray = gray.reshape(-1, SIDE, SIDE)
    assert hashes_without_border(gray, 0).tolist() == [picture.phash for picture in pictures]
    mirrored = gray[:, :, ::-1]
    assert hashes_without_border(mirrored, 0).tolist() == [picture.phash_flipped for picture in pictures]


def test_a_border_is_cut_off_by_linear_interpolation() -> None:
    ramp = np.broadcast_to(np.arange(32, dtype=np.float32) * 2, (1, 32, 32))
    # Pixel u is looked up at 15.5 + 0.5 (u - 15.5): 7.75 to 23.25, where the ramp is twice that.
    inner = without_border(ramp, cut=0.25)
    assert inner[0, 0] == pytest.approx(np.linspace(15.5, 46.5, 32), abs=1e-4)
    assert inner[0] == pytest.approx(np.tile(inner[0, 0], (32, 1)), abs=1e-4)
