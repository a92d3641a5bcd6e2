"""Sizes read from an encoded file's own bytes, where Pillow would allocate first or does not tell."""

from __future__ import annotations

import struct

_STANDALONE = frozenset({0x01, *range(0xD0, 0xDA)})
"""JPEG markers without a length: TEM, RST0 to RST7, SOI, EOI (ITU T.81, table B.1)."""
_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame; the other three are Huffman tables, a reserved one, and arithmetic conditioning."""
_START_OF_SCAN = 0xDA


def webp_canvas(data: bytes) -> tuple[int, int] | None:
    """Return `(width, height)` of a WebP's canvas in pixels, or None where the bytes are no WebP.

    libwebp allocates two canvases as soon as a file is opened, so the size has to be known before: 46
    bytes can claim 16,383 x 16,383 pixels. Source: RFC 9649, sections 2.5 to 2.7.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def jpeg_scans(data: bytes) -> int:
    """Return about how many scans a JPEG has, thumbnails included.

    Within compressed data 0xFF is always followed by 0 or a restart marker, so every match outside the
    metadata starts a scan.
    """
    return data.count(bytes((0xFF, _START_OF_SCAN)))


def jpeg_coefficients(data: bytes) -> int:
    """Return how many coefficients libjpeg keeps in memory at once, 2 bytes each: 0 for one scan.

    Where the first scan does not hold all of the image (progressive, or one component a scan), every
    coefficient is kept until the last scan is read, and decoding at a reduced size does not save them.
    Source: libjpeg-turbo, `initial_setup` in jdinput.c (`has_multiple_scans`).
    """
    place, components, progressive, coefficients = 2, 0, False, 0
    while (place := data.find(b"\xff", place)) >= 0 and place + 4 < len(data):
        marker = data[place + 1]
        if marker == 0xFF:  # fill
            place += 1
            continue
        if marker in _STANDALONE or marker == 0:
            place += 2
            continue
        if marker in _FRAME:
            components = data[place + 9] if place + 9 < len(data) else 0
            progressive = marker & 0b11 == 0b10
            coefficients = _frame_coefficients(data[place + 4 : place + 10 + 3 * components])
        if marker == _START_OF_SCAN:
            return coefficients if progressive or data[place + 4] < components else 0
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return coefficients if progressive else 0


def _frame_coefficients(frame: bytes) -> int:
    """Samples of all components, each subsampled by its own factors; `frame` follows the length."""
    if len(frame) < 6:
        return 0
    height, width = struct.unpack(">HH", frame[1:5])
    factors = [(byte >> 4, byte & 15) for byte in frame[7::3]]
    across, down = (max((pair[axis] for pair in factors), default=1) or 1 for axis in (0, 1))
    return sum(-(-width * h // across) * -(-height * v // down) for h, v in factors)


def png_significant_bits(data: bytes) -> int | None:
    """Return the largest number of bits that a PNG's sBIT chunk states, or None without one.

    Only chunks before the pixels are searched, where the chunk has to be (PNG, third edition, 11.3.2.4).
    """
    place = 8
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind == b"sBIT" and 1 <= length <= 4:
            return max(data[place + 8 : place + 8 + length], default=None)
        if kind in (b"IDAT", b"IEND"):
            break
        place += 12 + length
    return None
