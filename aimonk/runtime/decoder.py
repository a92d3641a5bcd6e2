"""The only decoder: from the bytes of any image file to RGB pixels, alike in training and serving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from .decode_limits import TRAINING, DecodeLimits
from .decoding_room import ROOM
from .deep_color import color_to_8_bits, deep_raw_mode, gray_to_8_bits, is_deep_gray
from .image_formats import is_dicom, is_jpeg, open_image, unpacked_pixels
from .user_errors import ImagesError

PREPROCESSING = 1
"""Raise it whenever an ordinary file of 8 bits comes out as other pixels: stored features are keyed by it."""

_BAND = 256
"""Rows made opaque at a time, so that the copies with an alpha channel stay small."""


@dataclass(frozen=True)
class Description:
    """What an image file says about itself; `format` is Pillow's name, sizes are upright pixels."""

    format: str
    width: int
    height: int
    camera: str = ""
    """Maker and model, as EXIF or DICOM have them."""
    quantization: float | None = None
    """Mean of a JPEG's first quantization table: low for high quality. None of other formats."""


def describe(data: bytes, limits: DecodeLimits = TRAINING) -> Description:
    """Return an image's true format and upright size from its header, without unpacking pixels.

    Args:
        data: the file's bytes.
        limits: what is refused; a JPEG is measured by its smallest reduced decoding.

    Raises:
        ImagesError: the bytes are no image, or exceed a limit.

    Example:
        >>> describe(Path("dress.jpg").read_bytes())
        Description(format='JPEG', width=600, height=800, camera='Canon EOS 80D', quantization=14.5)
    """
    if is_dicom(data):
        from .dicom import describe_dicom

        return Description("DICOM", *describe_dicom(data, limits))
    with open_image(data, limits) as image:
        return _described(image, data, limits)


def decode(data: bytes, size: tuple[int, int] | None = None, limits: DecodeLimits = TRAINING) -> np.ndarray:
    """Return an image's pixels, RGB and upright.

    With a `size` the image is squashed to it, antialiased (bilinear with the support scaled by the
    reduction). A JPEG at least twice as large is unpacked at 1/2, 1/4 or 1/8 by libjpeg's scaled inverse
    DCT, never below `size`. Transparency becomes white, more than 8 bits are scaled by the range that the
    file states or uses (see `pixel_range`), an animation yields its first frame, a DICOM series its
    first image, color profiles are ignored.

    Args:
        data: the file's bytes.
        size: height and width in pixels; None keeps the image's own.
        limits: what is refused, `decode_limits.TRAINING` or `SERVING`.

    Returns:
        `(height, width, 3) uint8`.

    Raises:
        ImagesError: the bytes are no image, cut short, damaged, exceed a limit, or there is no memory.

    Example:
        >>> decode(Path("dress.jpg").read_bytes(), (224, 224)).shape
        (224, 224, 3)
    """
    if is_dicom(data):
        from .dicom import decode_dicom

        return _without_surprises("DICOM", lambda: _squashed(decode_dicom(data, limits), size))
    with open_image(data, limits) as image:
        return _without_surprises(str(image.format), lambda: _pixels(image, data, size, limits))


def describe_and_decode(
    data: bytes, size: tuple[int, int] | None = None, limits: DecodeLimits = TRAINING
) -> tuple[Description, np.ndarray]:
    """Return what `describe` and `decode` do. Opening a small image takes as long as unpacking it."""
    if is_dicom(data):
        return describe(data, limits), decode(data, size, limits)
    with open_image(data, limits) as image:
        described = _described(image, data, limits)
        return described, _without_surprises(described.format, lambda: _pixels(image, data, size, limits))


def _described(image: ImageFile.ImageFile, data: bytes, limits: DecodeLimits) -> Description:
    width, height = image.size
    reduction = 8 if is_jpeg(image) else 1
    unpacked = unpacked_pixels(image, data, (-(-width // reduction), -(-height // reduction)))
    limits.check_area(width, height, unpacked)
    if _lies_on_its_side(image):
        width, height = height, width
    return Description(str(image.format), width, height, _camera(image), _quantization(image))


def _without_surprises(kind: str, work: Callable[[], np.ndarray]) -> np.ndarray:
    """Do the work; whatever a decoder raises becomes this image's error."""
    try:
        return work()
    except ImagesError:
        raise
    except MemoryError:
        raise ImagesError(f"unpacking the {kind} image takes more memory than there is") from None
    except Exception as error:  # Pillow's plugins raise nearly every built-in exception
        raise ImagesError(f"the {kind} image is damaged or cut short ({error})") from error


def _squashed(image: Image.Image, size: tuple[int, int] | None) -> np.ndarray:
    if size is not None and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _pixels(
    image: ImageFile.ImageFile, data: bytes, size: tuple[int, int] | None, limits: DecodeLimits
) -> np.ndarray:
    whole = image.size
    stored = None  # (height, width) to ask for, before the image is turned upright
    if size is not None:
        stored = (size[1], size[0]) if _lies_on_its_side(image) else size
        if is_jpeg(image):
            image.draft("", (stored[1], stored[0]))
    unpacked = unpacked_pixels(image, data, image.size)
    limits.check_area(*whole, unpacked)
    with ROOM.hold(unpacked, limits.max_pixels):
        raw = deep_raw_mode(image)
        image.load()
        # Read again: Pillow itself turns a TIFF upright while it loads, and then drops the tag.
        orientation = _orientation(image)
        shallow = color_to_8_bits(image, data, raw, lambda: open_image(data, limits)) if raw else image
        return _upright(_squashed(_as_rgb(shallow, data), stored), orientation)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def _camera(image: Image.Image) -> str:
    try:
        exif = image.getexif()
        made = [str(exif.get(tag, "")).strip(" \0") for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    except Exception:  # damaged EXIF names no camera
        return ""
    return " ".join(made).strip()


def _quantization(image: Image.Image) -> float | None:
    table = getattr(image, "quantization", {}).get(0)
    return sum(table) / len(table) if table else None


def _lies_on_its_side(image: Image.Image) -> bool:
    # A TIFF's size is upright already, although its tag is still there before it is loaded.
    return image.format != "TIFF" and _orientation(image) in (5, 6, 7, 8)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn pixels as the EXIF orientation says: 2 to 8, CIPA DC-008, 4.6.5.1."""
    if orientation not in range(2, 9):
        return pixels
    image = Image.fromarray(pixels)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(image, in_place=True)
    return np.asarray(image)


def _as_rgb(image: Image.Image, data: bytes) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if is_deep_gray(image):
        return gray_to_8_bits(image, data).convert("RGB")
    if image.has_transparency_data:
        return _over_white(image)
    return image.convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    result = Image.new("RGB", image.size)
    for top in range(0, image.height, _BAND):
        layer = image.crop((0, top, image.width, min(top + _BAND, image.height))).convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        result.paste(Image.alpha_composite(white, layer).convert("RGB"), (0, top))
    return result
