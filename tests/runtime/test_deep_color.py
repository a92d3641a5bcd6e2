"""One picture stored in many ways comes out the same."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from aimonk.runtime.decoder import decode

GRAY = np.tile(np.arange(256, dtype=np.uint8), (20, 1))
COLOR = np.stack([GRAY, GRAY[:, ::-1], np.full_like(GRAY, 90)], axis=-1)


def encoded(samples: np.ndarray, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(samples).save(content, kind, **options)
    return content.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_16(samples: np.ndarray, *, significant: int | None = None) -> bytes:
    """A PNG of 16 bits from `(H, W, channels) uint16`, written by hand: Pillow writes gray only."""
    height, width, channels = samples.shape
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    states = chunk(b"sBIT", bytes([significant] * channels)) if significant else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + states + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_16(samples: np.ndarray, order: str = "<", **more: tuple[int, int]) -> bytes:
    """An uncompressed TIFF of 16-bit RGB in one strip; `more` is `number=(type, value)`, keys like `t340`."""
    height, width, channels = samples.shape
    body = samples.astype(f"{order}u2").tobytes()
    tags = {256: (4, width), 257: (4, height), 259: (3, 1), 262: (3, 2), 273: (4, 0), 277: (3, channels),
            278: (4, height), 279: (4, len(body))}  # fmt: skip
    tags |= {int(name[1:]): value for name, value in more.items()}
    extra = 8 + 2 + 12 * (len(tags) + 1) + 4
    tags[273] = (4, extra + 2 * channels)
    entries = []
    for number, (kind, value) in sorted([*tags.items(), (258, (3, -1))]):
        count, field = 1, struct.pack(f"{order}I" if kind == 4 else f"{order}H2x", max(value, 0))
        if number == 258:
            count, field = channels, struct.pack(f"{order}I", extra)
        entries.append(struct.pack(f"{order}HHI", number, kind, count) + field)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + struct.pack(f"{order}I", 0)
    return head + directory + struct.pack(f"{order}{channels}H", *[16] * channels) + body


def assert_alike(content: bytes, expected: np.ndarray, levels: int = 2) -> None:
    shown = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, axis=-1)
    assert np.abs(decode(content).astype(int) - shown).max() <= levels


WIDE = GRAY.astype(np.uint16)
GRAYS = {
    "12 bits in a 16-bit PNG": encoded(WIDE * 16, "PNG"),
    "12 bits, bits repeated": encoded((WIDE.astype(np.uint32) * 4095 // 255).astype(np.uint16), "PNG"),
    "10 bits": encoded(WIDE * 4, "PNG"),
    "14 bits": encoded(WIDE * 64, "PNG"),
    "8 bits in 16": encoded(WIDE, "PNG"),
    "16 bits": encoded(WIDE * 257, "PNG"),
    "16 bits in a PGM": encoded(WIDE * 257, "PPM"),
    "16 bits in JPEG 2000": encoded(WIDE * 257, "JPEG2000"),
    "12 bits in a TIFF": encoded(WIDE * 16, "TIFF"),
    "12 bits in a compressed TIFF": encoded(WIDE * 16, "TIFF", compression="tiff_lzw"),
    "int32 with an offset": encoded(GRAY.astype(np.int32) + 100_000, "TIFF"),
    "int32 with a negative offset": encoded(GRAY.astype(np.int32) * 16 - 1024, "TIFF"),
    "int32 with a small offset": encoded(GRAY.astype(np.int32) + 100, "TIFF"),
    "int32, scaled by 1000, with an offset": encoded(GRAY.astype(np.int32) * 1000 - 7, "TIFF"),
    "float 0 to 255": encoded(GRAY.astype(np.float32), "TIFF"),
    "float 0 to 1": encoded(GRAY.astype(np.float32) / 255, "TIFF"),
    "float -1 to 1": encoded(GRAY.astype(np.float32) / 127.5 - 1, "TIFF"),
    "sBIT, scaled": png_16(WIDE[..., None] * 257, significant=12),
    "sBIT, not scaled": png_16(WIDE[..., None] * 16, significant=12),
    "gray with alpha": png_16(np.stack([WIDE * 16, np.full_like(WIDE, 4095)], axis=-1)),
}


@pytest.mark.parametrize("content", GRAYS.values(), ids=GRAYS)
def test_one_gray_picture_stored_in_many_ways(content: bytes) -> None:
    assert_alike(content, GRAY)


DEEP = COLOR.astype(np.uint16)
OPAQUE = np.full((*GRAY.shape, 1), 4095, np.uint16)
COLORS = {
    "PNG, 16 bits": png_16(DEEP * 257),
    "PNG, 12 bits": png_16(DEEP * 16),
    "PNG, 8 bits in 16": png_16(DEEP),
    "PNG, 12 bits, alpha": png_16(np.concatenate([DEEP * 16, OPAQUE], axis=-1)),
    "PNG, 12 bits stated": png_16(DEEP * 16, significant=12),
    "TIFF, 16 bits": tiff_16(DEEP * 257),
    "TIFF, 12 bits": tiff_16(DEEP * 16),
    "TIFF, 12 bits, Motorola order": tiff_16(DEEP * 16, ">"),
    "TIFF, range stated": tiff_16(DEEP * 100, t340=(3, 0), t341=(3, 25_500)),
}


@pytest.mark.parametrize("content", COLORS.values(), ids=COLORS)
def test_one_color_picture_stored_in_many_ways(content: bytes) -> None:
    assert_alike(content, COLOR)


def test_a_dark_picture_stays_dark_where_the_range_is_stated() -> None:
    dark = GRAY // 8  # 0 to 31
    assert_alike(png_16(dark.astype(np.uint16)[..., None] * 16, significant=12), dark)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[340], tags[341] = 0, 25_500
    assert_alike(encoded(dark.astype(np.uint16) * 100, "TIFF", tiffinfo=tags), dark)
    tags[341] = 99  # exceeded, hence wrong
    assert decode(encoded(dark.astype(np.uint16) * 100, "TIFF", tiffinfo=tags)).max() > 150


def test_white_is_zero() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    content = encoded((255 - WIDE) * 257, "TIFF", tiffinfo=tags)
    if (
        b"\x06\x01\x03\0\x01\0\0\0\0\0" not in content
    ):  # Pillow writes a photometric interpretation of its own
        content = content.replace(b"\x06\x01\x03\0\x01\0\0\0\x01\0", b"\x06\x01\x03\0\x01\0\0\0\0\0")
    assert_alike(content, GRAY)


def test_unsigned_32_bits() -> None:
    content = encoded((GRAY.astype(np.uint32) * 16_843_009).view(np.int32), "TIFF")
    content = content.replace(b"\x53\x01\x03\0\x01\0\0\0\x02\0", b"\x53\x01\x03\0\x01\0\0\0\x01\0")
    assert_alike(content, GRAY)


def test_real_photos_of_12_bits_with_an_offset_and_as_floats(shared: Path) -> None:
    for photo in sorted((shared / "data" / "clothing" / "images").glob("*.jpg"))[::200]:
        gray = np.asarray(Image.open(photo).convert("L"))
        lowest = int(gray.min())
        assert_alike(encoded(gray.astype(np.uint16) * 16, "PNG"), gray)
        assert_alike(encoded(gray.astype(np.float32), "TIFF"), gray)
        if lowest <= 2 and gray.max() >= 240:  # an offset hides how dark the darkest gray is
            assert_alike(encoded(gray.astype(np.int32) + 1000, "TIFF"), gray)
