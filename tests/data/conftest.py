"""Small pictures, and the facts that tests about duplicates and audits start from."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aimonk.data.image_index import ImageFacts


@pytest.fixture
def photo() -> Callable[[int], Image.Image]:
    """Make a picture of random soft shapes, 120 x 90: unlike for unlike numbers."""

    def make(number: int) -> Image.Image:
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((120, 90), Image.Resampling.BICUBIC)

    return make


@pytest.fixture
def encode() -> Callable[..., bytes]:
    def to_bytes(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
        content = io.BytesIO()
        image.save(content, kind, **options)
        return content.getvalue()

    return to_bytes


@pytest.fixture
def fact() -> Callable[..., ImageFacts]:
    """Facts of a usable JPEG, changed where the test says."""

    def make(name: str, **changes: Any) -> ImageFacts:
        values: dict[str, Any] = {
            "sha256": f"digest of {name}", "size": 1, "format": "JPEG", "width": 30, "height": 40,
            "phash": None, "phash_flipped": None, "problem": None,
        }  # fmt: skip
        return ImageFacts(name=name, path=Path("/photos") / name, **(values | changes))

    return make
