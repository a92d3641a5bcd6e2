from __future__ import annotations

import imagehash
import numpy as np
from PIL import Image

from aimonk.data.perceptual_hash import SIDE, perceptual_hashes


def test_the_hashes_are_those_of_imagehash() -> None:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (200, 8, 8), dtype=np.uint8)
    gray = np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE))) for one in coarse])
    expected = [int(str(imagehash.phash(Image.fromarray(one))), 16) for one in gray]
    assert perceptual_hashes(gray).tolist() == expected


def test_no_thumbnail_has_no_hash() -> None:
    assert perceptual_hashes(np.zeros((0, SIDE, SIDE), np.uint8)).shape == (0,)
