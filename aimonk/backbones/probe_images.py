"""Images on which engines are compared when no real ones are at hand."""

from __future__ import annotations

import numpy as np
from PIL import Image


def drawn_samples(size: tuple[int, int], count: int = 8) -> np.ndarray:
    """Smooth color fields with some noise, always the same; `(count, height, width, 3) uint8`."""
    random = np.random.default_rng(0)
    height, width = size
    images = np.empty((count, height, width, 3), dtype=np.uint8)
    for image in images:
        coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
        image[:] = (smooth + random.normal(0.0, 8.0, smooth.shape)).clip(0, 255)
    return images
