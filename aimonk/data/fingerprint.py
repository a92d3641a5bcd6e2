"""What an image looks like, in a few numbers: perceptual hashes, a thumbnail, its border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..runtime.decode_limits import TRAINING, DecodeLimits
from ..runtime.decoder import describe_and_decode
from .perceptual_hash import SIDE, perceptual_hashes

_DECODED = 4 * SIDE
"""Decoded larger than needed, so that libjpeg's reduction does not shift an image against its mirror."""

BORDER_SIDE = 16
"""The border is the outer ring of a grid of so many cells along each side."""

_RING = np.ones((BORDER_SIDE, BORDER_SIDE), bool)
_RING[1:-1, 1:-1] = False

BORDER_COLORS = 3 * int(_RING.sum())
"""Numbers that describe a border."""

FLAT_SPREAD = 3
"""A thumbnail whose gray levels, 0 to 255, differ by no more shows nothing that a model could learn from."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the bytes of an image show; with a `problem`, they show nothing."""

    format: str | None
    width: int
    height: int
    phash: int | None
    phash_flipped: int | None
    thumbnail: bytes | None
    """`SIDE * SIDE` gray pixels, row by row."""
    border: bytes | None = None
    """Mean red, green and blue of each cell of the border, row by row."""
    camera: str = ""
    quantization: float | None = None
    """Mean of a JPEG's first quantization table."""
    problem: str | None = None

    @classmethod
    def unusable(cls, problem: str) -> Picture:
        """Return the picture of bytes that cannot be decoded."""
        return cls(None, 0, 0, None, None, None, problem=problem)


def look_at(content: bytes, limits: DecodeLimits = TRAINING) -> Picture:
    """Return what an image file's bytes show.

    The hashes are ImageHash's pHash of 64 bits (a DCT's low frequencies against their median), as
    integers with the first bit highest.

    Raises:
        ImagesError: the bytes cannot be decoded within the limits.
    """
    description, pixels = describe_and_decode(content, (_DECODED, _DECODED), limits)
    colors = Image.fromarray(pixels)
    upright = np.asarray(colors.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    phash, phash_flipped = perceptual_hashes(np.stack([upright, upright[:, ::-1]])).tolist()
    return Picture(
        format=description.format,
        width=description.width,
        height=description.height,
        phash=phash,
        phash_flipped=phash_flipped,
        thumbnail=upright.tobytes(),
        border=np.asarray(colors.reduce(_DECODED // BORDER_SIDE))[_RING].tobytes(),
        camera=description.camera,
        quantization=description.quantization,
    )


def is_flat(thumbnail: bytes) -> bool:
    """Whether all pixels of a gray thumbnail are alike within `FLAT_SPREAD`.

    Such pictures come from a lens cap, a failed export, or a range of values that was read wrongly. Averaging
    to a thumbnail removes most noise: a photo of a plain wall still spans more through its shading.

    Example:
        >>> is_flat(bytes([7, 7, 10])), is_flat(bytes([7, 7, 11]))
        (True, False)
    """
    return max(thumbnail) - min(thumbnail) <= FLAT_SPREAD
