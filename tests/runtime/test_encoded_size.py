from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from aimonk.runtime.encoded_size import jpeg_coefficients, jpeg_scans, png_significant_bits, webp_canvas

Encode = Callable[..., bytes]


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}], ids=str)
def test_a_webp_says_its_size_in_three_ways(encode: Encode, options: dict[str, object]) -> None:
    assert webp_canvas(encode(Image.new("RGB", (123, 4567)), "WEBP", **options)) == (123, 4567)


def test_what_is_no_webp(encode: Encode) -> None:
    assert webp_canvas(b"") is None
    assert webp_canvas(encode(Image.new("RGB", (3, 4)), "PNG")) is None
    assert webp_canvas(b"RIFF\0\0\0\0WEBPVP8L") is None


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("RGB", {"progressive": True}, 64 * 48 * 3 // 2),  # 4:2:0
        ("RGB", {"progressive": True, "subsampling": 0}, 64 * 48 * 3),
        ("L", {"progressive": True}, 64 * 48),
        ("RGB", {}, 0),
    ],
    ids=str,
)
def test_coefficients_are_kept_for_progressive_jpegs(
    encode: Encode, mode: str, options: dict[str, object], expected: int
) -> None:
    assert jpeg_coefficients(encode(Image.new(mode, (64, 48)), **options)) == expected


def test_coefficients_are_kept_where_each_component_has_a_scan(encode: Encode) -> None:
    content = bytearray(encode(Image.new("RGB", (64, 48)), subsampling=0))
    content[content.index(b"\xff\xda") + 4] = 1  # components in the first scan
    assert jpeg_coefficients(bytes(content)) == 64 * 48 * 3


def test_damaged_jpegs_end(encode: Encode) -> None:
    content = encode(Image.new("RGB", (64, 48)), progressive=True)
    for length in range(len(content)):
        assert jpeg_coefficients(content[:length]) >= 0
    assert jpeg_coefficients(b"\xff" * 1000) == 0


def test_scans_are_counted(encode: Encode) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert jpeg_scans(encode(noise)) == 1
    assert jpeg_scans(encode(noise, progressive=True)) == 10  # libjpeg's script for color


def test_significant_bits() -> None:
    start = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + bytes(17)
    assert png_significant_bits(start + b"\0\0\0\x03sBIT\x0a\x0c\x0b" + bytes(4)) == 12
    assert png_significant_bits(start + b"\0\0\0\0IDAT" + bytes(4) + b"\0\0\0\x01sBIT\x0c") is None
    assert png_significant_bits(start + b"\0\0\0\x01sBIT") is None
