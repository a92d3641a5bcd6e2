"""Images of more than 8 bits a sample, made images of 8 bits.

Pillow has no mode for color of 16 bits: it keeps the high byte of each sample, so that a 12-bit photo comes
out nearly black. Its raw decoders skip either byte, depending on the byte order that they are told. So a
color image that does not use all 16 bits is decoded twice, the second time in the wrong order, for the
low bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from .encoded_size import png_significant_bits
from .pixel_range import black_and_white, to_8_bits

_OTHER_BYTE = {
    **{f"{mode};16B": f"{mode};16L" for mode in ("RGB", "RGBA", "RGBX", "RGBa")},
    **{f"{mode};16L": f"{mode};16B" for mode in ("RGB", "RGBA", "RGBX", "RGBa")},
    **{f"{mode};16N": f"{mode};16B" for mode in ("RGB", "RGBA", "RGBX", "RGBa")},
    "LA;16B": "RGBA",  # a pixel of 4 bytes: gray high, gray low, alpha high, alpha low
}
"""Pillow's raw mode that takes the high byte: the one for the low byte. N is this machine's order."""
_BITS, _WHITE_IS_ZERO, _SIGNED = 258, 262, 339
"""TIFF tags BitsPerSample, PhotometricInterpretation and SampleFormat."""
_STATED_RANGES = ((340, 341), (280, 281))
"""TIFF tags SMinSampleValue and SMaxSampleValue, MinSampleValue and MaxSampleValue."""


def is_deep_gray(image: Image.Image) -> bool:
    """Whether an image has one channel of more than 8 bits, in one of Pillow's modes for that."""
    return image.mode.startswith("I") or image.mode == "F"


def gray_to_8_bits(image: Image.Image, data: bytes) -> Image.Image:
    """Return a gray image of more than 8 bits as one of 8, by the range its file states or it uses."""
    samples = np.asarray(image)
    tags: Any = getattr(image, "tag_v2", {})
    if image.mode == "I" and tags.get(_BITS) == (32,) and tags.get(_SIGNED, (1,)) == (1,):
        samples = samples.view(np.uint32)  # Pillow reads unsigned samples as signed ones
    gray = to_8_bits(samples, *black_and_white(samples, stated_range(image, data, samples)))
    return Image.fromarray(255 - gray if tags.get(_WHITE_IS_ZERO) == 0 else gray)


def deep_raw_mode(image: ImageFile.ImageFile) -> str | None:
    """Return the raw mode of a color image of 16 bits a sample, before it is loaded, else None."""
    modes = {_raw_mode(tile) for tile in image.tile}
    mode = modes.pop() if len(modes) == 1 else None
    return mode if mode in _OTHER_BYTE else None


def color_to_8_bits(
    image: Image.Image, data: bytes, raw: str, reopen: Callable[[], ImageFile.ImageFile]
) -> Image.Image:
    """Return a loaded color image of 16 bits by the range it uses; `reopen` opens its file once more.

    Where it uses all 16 bits it comes out as Pillow has it, the high bytes. Alpha has a range of its own.
    """
    high = np.asarray(image)
    color = 3 if raw != "LA;16B" else 1
    shown = high[..., :color].astype(np.uint16)
    stated = stated_range(image, data, shown << 8)
    if stated in (None, (0, 65535)) and int(shown.max()) - int(shown.min()) > 64:
        return image
    other = reopen()
    other.tile = [tile._replace(args=_with_raw_mode(tile.args, _OTHER_BYTE[raw])) for tile in other.tile]
    other.load()
    low = np.asarray(other)
    if color == 1:  # the other image holds both bytes of both channels
        samples = low[..., 0::2].astype(np.uint16) << 8 | low[..., 1::2]
    else:
        samples = high.astype(np.uint16) << 8 | low
    stated = stated_range(image, data, samples[..., :color])
    parts = [_scaled(samples[..., :color], stated)]
    if samples.shape[-1] > color:
        parts.append(_scaled(samples[..., color:], None))
    return Image.fromarray(np.concatenate(parts, axis=-1))


def stated_range(image: Image.Image, data: bytes, samples: np.ndarray) -> tuple[float, float] | None:
    """Return the values that the file says are black and white, or None where it does not say."""
    if image.format in ("PPM", "JPEG2000"):  # Pillow has scaled them to the range of 16 bits
        return (0, 65535) if image.mode != "F" else None
    if image.format == "PNG":
        bits = png_significant_bits(data)
        if bits is None or not 8 < bits < 16:
            return None
        # Encoders should scale samples up to 16 bits, which sBIT then records; many store them unscaled.
        return (0, 2**bits - 1) if samples.max() < 2**bits else (0, 65535)
    return _stated_by_tags(getattr(image, "tag_v2", {}))


def _stated_by_tags(tags: Any) -> tuple[float, float] | None:
    for lowest, highest in _STATED_RANGES:
        try:
            return float(min(_each(tags[lowest]))), float(max(_each(tags[highest])))
        except (KeyError, TypeError, ValueError):
            continue
    bits = tags.get(_BITS, ())
    return (0, 2 ** bits[0] - 1) if bits and 8 < bits[0] < 16 else None


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _scaled(samples: np.ndarray, stated: tuple[float, float] | None) -> np.ndarray:
    return to_8_bits(samples, *black_and_white(samples, stated))


def _raw_mode(tile: Any) -> str | None:
    first = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return first if isinstance(first, str) else None


def _with_raw_mode(args: Any, mode: str) -> Any:
    return (mode, *args[1:]) if isinstance(args, tuple) else mode
