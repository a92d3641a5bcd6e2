from __future__ import annotations

from collections.abc import Callable

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from aimonk.data.fingerprint import SIDE, look_at
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
