"""A photo with the evidence for one attribute laid over it: red speaks for the attribute, blue against."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ..runtime.decode_limits import LOOKED_AT
from ..runtime.decoder import decode, describe

BOX = (512, 512)
"""Largest width and height of an overlay, in pixels."""

FOR, AGAINST = (214, 39, 40), (31, 119, 180)
"""Colors of evidence for and against."""

STRONGEST = 0.65
"""Opacity where the evidence is strongest."""

FADE = 0.6
"""How much of the photo's color is turned to gray, so that the evidence stands out."""


def overlay(content: bytes, places: np.ndarray, box: tuple[int, int] = BOX) -> bytes:
    """Draw contributions over the photo they come from.

    Opacity grows with the root of the contribution, so that weak evidence can be seen, on a scale from 0 to
    the largest of this photo.

    Args:
        content: the image file's bytes.
        places: `(rows, columns)` contributions on a grid over the image.
        box: largest width and height in pixels.

    Returns:
        A PNG.

    Raises:
        ImagesError: the image cannot be read.
    """
    upright = describe(content, LOOKED_AT)
    scale = min(1.0, box[0] / upright.width, box[1] / upright.height)
    size = max(1, round(upright.height * scale)), max(1, round(upright.width * scale))
    pixels = decode(content, size, LOOKED_AT).astype(np.float32)
    gray = pixels.mean(axis=2, keepdims=True)
    faded = pixels + FADE * (gray - pixels)
    grid = Image.fromarray(places.astype(np.float32), mode="F")
    wide = np.asarray(grid.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    most = float(np.abs(places).max())
    opacity = STRONGEST * np.sqrt(np.abs(wide) / most) if most > 0 else np.zeros_like(wide)
    color = np.where(wide[..., None] >= 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    mixed = faded + opacity[..., None] * (color - faded)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
