from __future__ import annotations

import io
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from aimonk.errors import ImagesError
from aimonk.runtime.decode_limits import SERVING, TRAINING, DecodeLimits
from aimonk.runtime.decoder import Description, decode, describe
from aimonk.runtime.image_formats import image_suffixes, installed_decoders
from tests.conftest import ROOT

Encode = Callable[..., bytes]
GREEN = (20, 200, 30)


def heic(image: Image.Image, **options: object) -> bytes:
    content = io.BytesIO()
    pillow_heif.from_pillow(image).save(content, **options)
    return content.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        *chunks, (b"IDAT", zlib.compress(bytes(10))), (b"IEND", b""),
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


@pytest.mark.parametrize("limits", [TRAINING, SERVING], ids=["training", "serving"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF"])
def test_formats_that_everybody_reads(encode: Encode, kind: str, limits: DecodeLimits) -> None:
    content = encode(Image.new("RGB", (32, 16), GREEN), kind)
    found = describe(content, limits)
    assert (found.format, found.width, found.height) == (kind, 32, 16)
    np.testing.assert_allclose(decode(content, limits=limits)[8, 16], GREEN, atol=6)


@pytest.mark.parametrize("limits", [TRAINING, SERVING], ids=["training", "serving"])
def test_heic(limits: DecodeLimits) -> None:
    content = heic(Image.new("RGB", (64, 48), GREEN))
    assert content[8:12] == b"heic"
    assert describe(content, limits) == Description("HEIF", 64, 48)
    np.testing.assert_allclose(decode(content, (10, 20), limits)[5, 5], GREEN, atol=6)


def test_a_heic_on_its_side_is_turned_once() -> None:
    halves = np.zeros((48, 64, 3), np.uint8)
    halves[:, :32] = 255  # white on the left; turned clockwise, it is on top
    exif = Image.Exif()
    exif[0x0112] = 6
    content = heic(Image.fromarray(halves), exif=exif.tobytes(), quality=95)
    assert describe(content) == Description("HEIF", 48, 64)
    pixels = decode(content)
    assert pixels.shape == (64, 48, 3)
    assert pixels[5, 24].min() > 240 and pixels[-5, 24].max() < 15


@pytest.mark.parametrize("kind", ["QOI", "PPM", "TGA", "ICO", "JPEG2000"])
def test_serving_refuses_what_training_reads(encode: Encode, kind: str) -> None:
    content = encode(Image.new("RGB", (16, 16), GREEN), kind)
    assert decode(content).shape == (16, 16, 3)
    for read in (describe, decode):
        with pytest.raises(ImagesError, match="not an image|not read; send one of AVIF, BMP"):
            read(content, limits=SERVING)


def test_fits_is_refused_in_serving() -> None:
    values = {"SIMPLE": "T", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 4, "NAXIS2": 4}
    cards = [*(f"{name:8}= {value:>20}" for name, value in values.items()), "END"]
    content = "".join(card.ljust(80) for card in cards).ljust(2880).encode() + bytes(2880)
    assert describe(content).format == "FITS"
    with pytest.raises(ImagesError, match="format FITS are not read"):
        decode(content, limits=SERVING)


POISON = {
    "a line of 89 million pixels": png(89_000_000, 1),
    "a webp of 16,383 squared": b"RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f"
    + struct.pack("<I", 16382 | 16382 << 14) + bytes(15),
    "a text chunk": png(9, 9, (b"zTXt", b"key\0\0" + zlib.compress(bytes(50_000_000)))),
    "a color profile": png(9, 9, (b"iCCP", b"key\0\0" + zlib.compress(bytes(50_000_000)))),
    "many text chunks": png(9, 9, *[(b"zTXt", b"key\0\0" + zlib.compress(bytes(1_000_000)))] * 80),
}  # fmt: skip


@pytest.mark.parametrize("content", POISON.values(), ids=POISON)
def test_poison_is_refused_in_little_memory(content: bytes) -> None:
    code = (
        "import resource, sys\n"
        "from aimonk.runtime.decoder import decode, describe\n"
        "from aimonk.runtime.user_errors import ImagesError\n"
        "from PIL import Image; Image.init()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "content = sys.stdin.buffer.read()\n"
        "for read in (describe, decode):\n"
        "    try: read(content)\n"
        "    except ImagesError: pass\n"
        "    else: sys.exit('decoded')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert int(done.stdout) < 150_000  # KiB


def test_a_jpeg_of_a_thousand_scans_is_refused(encode: Encode) -> None:
    content = encode(Image.new("RGB", (64, 64)), progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    decode(content[:-2] + 80 * scan + content[-2:])
    with pytest.raises(ImagesError, match="1,010 scans, more than 100"):
        decode(content[:-2] + 1000 * scan + content[-2:])


def test_a_tiff_of_giant_tiles_is_refused() -> None:
    tags = {256: 16, 257: 16, 258: 8, 259: 5, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 8, 325: 9}
    entries = b"".join(struct.pack("<HHII", number, 4, 1, value) for number, value in tags.items())
    content = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(20)
    with pytest.raises(ImagesError, match="tiles of 60,000 x 60,000 pixels"):
        decode(content)


def test_sides_are_limited(encode: Encode) -> None:
    content = encode(Image.new("L", (300, 1)), "PNG")
    assert decode(content, limits=DecodeLimits(max_side=300)).shape == (1, 300, 3)
    with pytest.raises(ImagesError, match="300 x 1 pixels, a side longer than 299"):
        decode(content, limits=DecodeLimits(max_side=299))


def test_no_warning_of_a_decoder_reaches_the_screen(tmp_path: Path, encode: Encode) -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([*GREEN, 1, 2, 3])
    files = [
        encode(palette, "PNG", transparency=b"\0\x80"),
        encode(Image.new("RGB", (9500, 9500)), "JPEG"),  # above Pillow's own limit
        encode(Image.new("L", (4, 4)), "TIFF", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        encode(Image.new("RGB", (4, 4)), "TIFF")[:-40],
        encode(Image.new("RGB", (4, 4)), "PNG").replace(b"IDAT", b"acTL"),
    ]
    for number, content in enumerate(files):
        (tmp_path / str(number)).write_bytes(content)
    code = (
        "import pathlib, sys, warnings\n"
        "from aimonk.runtime.decoder import decode\n"
        "from aimonk.runtime.user_errors import ImagesError\n"
        "warnings.resetwarnings()\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try: decode(path.read_bytes(), (8, 8))\n"
        "    except ImagesError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_filters_of_other_threads_are_left_alone(encode: Encode) -> None:
    content = encode(Image.new("RGB", (4, 4)), "PNG")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(decode, [content] * 40))
        warnings.warn("mine", stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["mine"]


def test_suffixes_and_decoders() -> None:
    suffixes = image_suffixes()
    assert {suffixes[name] for name in (".jpg", ".jpeg", ".jfif")} == {"JPEG"}
    assert (suffixes[".heic"], suffixes[".avif"], suffixes[".dcm"]) == ("HEIF", "AVIF", "DICOM")
    assert ".eps" not in suffixes and ".pdf" not in suffixes and ".txt" not in suffixes
    assert installed_decoders().startswith("pillow-")
