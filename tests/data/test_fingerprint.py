from __future__ import annotations

from collections.abc import Callable

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from aimonk.data.fingerprint import is_flat, look_at
from aimonk.data.perceptual_hash import SIDE
from aimonk.errors import ImagesError


def test_a_picture_is_described_hashed_and_reduced(
    photo: Callable[[int], Image.Image], encode: Callable[..., bytes]
) -> None:
    image = photo(3)
    picture = look_at(encode(image, "PNG"))
    assert (picture.format, picture.width, picture.height, picture.problem) == ("PNG", 120, 90, None)
    expected = ImageOps.grayscale(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    thumbnail = np.frombuffer(picture.thumbnail or b"", np.uint8).reshape(SIDE, SIDE)
    assert np.abs(thumbnail.astype(int) - np.asarray(expected)).max() <= 3
    for number, upright in ((picture.phash, image), (picture.phash_flipped, ImageOps.mirror(image))):
        assert number is not None and 0 <= number < 2**64
        assert (number ^ int(str(imagehash.phash(upright)), 16)).bit_count() <= 2


def test_the_mirror_image_has_the_hashes_exchanged(
    photo: Callable[[int], Image.Image], encode: Callable[..., bytes]
) -> None:
    one = look_at(encode(photo(4), "PNG"))
    other = look_at(encode(ImageOps.mirror(photo(4)), "PNG"))
    assert (one.phash, one.phash_flipped) == (other.phash_flipped, other.phash)
    assert one.phash != one.phash_flipped


def test_what_cannot_be_seen_is_an_error() -> None:
    with pytest.raises(ImagesError):
        look_at(b"nothing")


def test_a_picture_is_flat_where_three_gray_levels_hold_it(encode: Callable[..., bytes]) -> None:
    assert is_flat(bytes([7, 10, 8])) and not is_flat(bytes([7, 11, 8]))
    noise = np.random.default_rng(0).integers(100, 110, (200, 200, 3), dtype=np.uint8)
    half = np.full((200, 200, 3), 100, np.uint8)
    half[:, 100:] = 105
    for pixels, flat in ((noise, True), (half, False)):  # noise averages out, an edge does not
        picture = look_at(encode(Image.fromarray(pixels), "PNG"))
        assert picture.thumbnail is not None and is_flat(picture.thumbnail) is flat
