"""What an image looks like, in a few numbers: a perceptual hash, that of its mirror image, a thumbnail."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageOps

from ..runtime.decoder import decode, describe

SIDE = 32
"""Pixels of a thumbnail's side; also what a perceptual hash of 8 x 8 is computed from."""

_DECODED = 4 * SIDE
"""Decoded larger than needed, so that libjpeg's reduction does not shift an image against its mirror."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the bytes of an image show; with a `problem`, they show nothing."""

    format: str | None
    width: int
    height: int
    phash: int | None
    phash_flipped: int | None
    thumbnail: bytes | None
    """`SIDE * SIDE` grey pixels, row by row."""
    problem: str | None = None

    @classmethod
    def unusable(cls, problem: str) -> Picture:
        """Return the picture of bytes that cannot be decoded."""
        return cls(None, 0, 0, None, None, None, problem)


def look_at(content: bytes) -> Picture:
    """Return what an image file's bytes show.

    The hashes are ImageHash's pHash of 64 bits (a DCT's low frequencies against their median), as
    integers with the first bit highest. Raises ImagesError where the bytes cannot be decoded.
    """
    # Only needed for files not seen before; SciPy's import behind pHash takes as long as 200 images.
    import imagehash

    description = describe(content)
    grey = Image.fromarray(decode(content, (_DECODED, _DECODED))).convert("L")
    upright = grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return Picture(
        format=description.format,
        width=description.width,
        height=description.height,
        phash=int(str(imagehash.phash(upright)), 16),
        phash_flipped=int(str(imagehash.phash(ImageOps.mirror(upright))), 16),
        thumbnail=upright.tobytes(),
    )
