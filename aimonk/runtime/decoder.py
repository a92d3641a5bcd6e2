"""The only decoder: from the bytes of any image file to RGB pixels, alike in training and serving.

It imports nothing of the package but the errors, since served models carry a copy of it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .errors import ImagesError

MAX_PIXELS = 89_478_485
"""A larger image is refused before its pixels are unpacked: a few bytes can claim any size.

Pillow's own limit is the same number (RGB of a quarter GiB), where it would only warn.
"""

PREPROCESSING = 1
"""Raise it whenever the same bytes come out as other pixels: stored features are keyed by it."""

_REFUSED_FORMATS = frozenset({"EPS"})
"""Pillow hands PostScript to Ghostscript, a program that nobody's upload should start."""

_ORIENTATION = 0x0112
"""The EXIF tag; 2 to 8 say how the stored pixels are to be turned (CIPA DC-008, 4.6.5.1)."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Description:
    """What an image file says about itself; `format` is Pillow's name, sizes are upright pixels."""

    format: str
    width: int
    height: int


def describe(data: bytes) -> Description:
    """Return an image's true format and upright size from its header, without unpacking pixels.

    Raises ImagesError if the bytes are no image or it is larger than `MAX_PIXELS`.
    """
    with _open(data) as image:
        width, height = image.size
        if _lies_on_its_side(image):
            width, height = height, width
        return Description(str(image.format), width, height)


def decode(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return an image's pixels: `(height, width, 3) uint8`, RGB, upright.

    With `size = (height, width)` the image is squashed to exactly that, antialiased (bilinear with the
    support scaled by the reduction). A JPEG at least twice as large as `size` is unpacked at 1/2, 1/4 or
    1/8 by libjpeg's scaled inverse DCT, never below `size`. Transparency becomes white, 16-bit grey
    is scaled to 8 bits, an animation yields its first frame, colour profiles are ignored.

    Raises ImagesError if the bytes are no image, cut short, damaged, or larger than `MAX_PIXELS`.
    """
    with _open(data) as image:
        try:
            return _pixels(image, size)
        except MemoryError:  # says nothing about the image
            raise
        except Exception as error:  # Pillow's plugins raise nearly every built-in exception
            raise ImagesError(f"the {image.format} image is damaged or cut short ({error})") from error


def _open(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data))
    except Image.UnidentifiedImageError:
        raise ImagesError("not an image" if data else "the file is empty") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImagesError(f"the image has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:
        raise ImagesError(f"the image's header is damaged ({error})") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImagesError(f"the image has {width:,} x {height:,} pixels, more than {MAX_PIXELS:,}")
    if image.format in _REFUSED_FORMATS:
        raise ImagesError(f"images in the format {image.format} are not read")
    return image


def _pixels(image: Image.Image, size: tuple[int, int] | None) -> np.ndarray:
    stored = None  # (width, height) to ask for, before the image is turned upright
    if size is not None:
        stored = size if _lies_on_its_side(image) else (size[1], size[0])
        image.draft(None, stored)
    image.load()
    # Read again: Pillow itself turns a TIFF upright while it loads, and then drops the tag.
    turn = _UPRIGHT.get(_orientation(image))
    flat = _as_rgb(image)
    if stored is not None and flat.size != stored:
        flat = flat.resize(stored, Image.Resampling.BILINEAR)
    if turn is not None:
        flat = flat.transpose(turn)
    return np.asarray(flat)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def _lies_on_its_side(image: Image.Image) -> bool:
    # A TIFF's size is upright already, although its tag is still there before it is loaded.
    return image.format != "TIFF" and _orientation(image) >= 5


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_as_8_bits(image)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _as_8_bits(image: Image.Image) -> np.ndarray:
    """Scale grey of 16 bits (which Pillow may keep in 32) from 0..65535, of floats from 0..1, to 0..255."""
    white = 1.0 if image.mode == "F" else 65535.0
    grey = np.nan_to_num(np.asarray(image, dtype=np.float32)) * np.float32(255.0 / white)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
