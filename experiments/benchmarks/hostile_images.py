"""Decode damaged and malicious images: what comes out, how long it takes, how much memory.

    python experiments/benchmarks/hostile_images.py [--images 2000] [--seed 0] [--data DIR]

Real photos are encoded in every format that a server reads, also as 16 bits, CMYK, animated, progressive,
with a palette, and with EXIF. Each image is then damaged: bytes are changed, the end is cut off, parts are
repeated or exchanged, or a number in the header becomes a huge one. Bombs (a few bytes that claim many
pixels, chunks that unpack to many bytes, thousands of scans) have rows of their own. Everything is decoded
with the limits of serving. Each row of the table is a new process, whose peak of resident memory above its
size before the first image is the kernel's figure (VmHWM, so Linux only). `other` counts anything but
pixels and an ImagesError; the script ends with 1 unless that is 0 everywhere. `--images 20000` is the full
measurement.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from aimonk.errors import ImagesError
from aimonk.runtime.decode_limits import SERVING
from aimonk.runtime.decoder import decode

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "clothing" / "images"
SIZE = (224, 224)


@dataclass
class Row:
    """What became of the images of one kind."""

    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    """Seconds of one image."""
    peak: float = 0.0
    """MB above the process before its first image."""
    surprises: list[str] = field(default_factory=list)


def encoders() -> dict[str, Callable[[Image.Image], bytes]]:
    """How a photo is stored, by kind."""

    def by(kind: str, mode: str = "RGB", **options: object) -> Callable[[Image.Image], bytes]:
        def encode(photo: Image.Image) -> bytes:
            content = io.BytesIO()
            photo.convert(mode).save(content, kind, **options)
            return content.getvalue()

        return encode

    def heic(photo: Image.Image) -> bytes:
        content = io.BytesIO()
        pillow_heif.from_pillow(photo).save(content, quality=50)
        return content.getvalue()

    def deep(kind: str) -> Callable[[Image.Image], bytes]:
        def encode(photo: Image.Image) -> bytes:
            content = io.BytesIO()
            Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 16).save(content, kind)
            return content.getvalue()

        return encode

    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker" * 200
    return {
        "JPEG": by("JPEG"),
        "JPEG progressive": by("JPEG", progressive=True),
        "JPEG CMYK": by("JPEG", "CMYK"),
        "JPEG with EXIF": by("JPEG", exif=exif),
        "PNG": by("PNG", compress_level=1),
        "PNG palette": by("PNG", "P"),
        "PNG 16 bits": deep("PNG"),
        "GIF": by("GIF", "P"),
        "GIF animated": lambda photo: animated(photo, "GIF"),
        "WebP": by("WEBP"),
        "WebP lossless": by("WEBP", lossless=True, method=0),
        "WebP animated": lambda photo: animated(photo, "WEBP"),
        "BMP": by("BMP"),
        "TIFF": by("TIFF"),
        "TIFF LZW": by("TIFF", compression="tiff_lzw"),
        "TIFF JPEG": by("TIFF", compression="jpeg"),
        "TIFF 16 bits": deep("TIFF"),
        "AVIF": by("AVIF", speed=10),
        "HEIC": heic,
    }


def animated(photo: Image.Image, kind: str) -> bytes:
    """Three frames."""
    content = io.BytesIO()
    frames = [photo.rotate(90 * turn) for turn in (1, 2)]
    photo.save(content, kind, save_all=True, append_images=frames)
    return content.getvalue()


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """The bytes with one to three kinds of damage."""
    data = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        length = len(data)
        # Half of the places are among the first bytes, where headers are.
        place = int(random.integers(0, min(length, 600) if random.random() < 0.5 else length))
        match int(random.integers(0, 6)):
            case 0:
                data[place] = int(random.integers(0, 256))
            case 1:
                data[place : place + 8] = random.bytes(min(8, length - place))
            case 2:
                data = data[: max(1, place)]
            case 3:
                data[place : place + 4] = random.choice(
                    [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"]
                )
            case 4:
                part = data[place : place + int(random.integers(1, 5000))]
                data[place:place] = part * int(random.integers(1, 20))
            case 5:
                other = int(random.integers(0, length))
                data[place : place + 64], data[other : other + 64] = (
                    data[other : other + 64],
                    data[place : place + 64],
                )
    return bytes(data)


def bombs() -> dict[str, bytes]:
    """Small files that claim, or unpack to, very much."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def png(width: int, height: int, more: bytes = b"") -> bytes:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        end = chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + header + more + end

    def flat(kind: str, side: int, **options: object) -> bytes:
        content = io.BytesIO()
        Image.new("RGB", (side, side), (9, 200, 30)).save(content, kind, **options)
        return content.getvalue()

    zeros = zlib.compress(bytes(200_000_000), 9)
    progressive = flat("JPEG", 4900, progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    avif = flat("AVIF", 12_000, quality=1, speed=10, autotiling=False)
    small = flat("JPEG", 64)
    frame = small.index(b"\xff\xc0")
    canvas = struct.pack("<I", 16_382 | 16_382 << 14)
    return {
        "PNG of 89 million x 1": png(89_000_000, 1),
        "PNG of 2 billion squared": png(2**31 - 1, 2**31 - 1),
        "PNG of 25 million pixels": png(5000, 5000),
        "PNG text of 200 MB": png(9, 9, chunk(b"zTXt", b"key\0\0" + zeros)),
        "PNG profile of 200 MB": png(9, 9, chunk(b"iCCP", b"key\0\0" + zeros)),
        "PNG of 500 texts": png(9, 9, chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(1_000_000))) * 500),
        "WebP of 16,383 squared": b"RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f" + canvas + bytes(15),
        "WebP of 5000 squared": flat("WEBP", 5000, method=0),
        "JPEG of 29,000 squared": small[: frame + 5]
        + struct.pack(">HH", 29_000, 29_000)
        + small[frame + 9 :],
        "JPEG of 90 scans": progressive[:-2] + 80 * scan + progressive[-2:],
        "JPEG of 50,000 scans": progressive[:-2] + 50_000 * scan + progressive[-2:],
        "AVIF that says it is small": avif.replace(
            struct.pack(">II", 12_000, 12_000), struct.pack(">II", 64, 64)
        ),
        "TIFF of 5000 squared, deflated": flat("TIFF", 5000, compression="tiff_adobe_deflate"),
    }


def resident() -> float:
    """MB of the largest this process has been; `getrusage` would count the parent's peak as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def attempt(content: bytes, row: Row) -> None:
    """Decode one image, and note what comes of it."""
    began = time.perf_counter()
    try:
        pixels = decode(content, SIZE, SERVING)
        outcome = "decoded" if pixels.shape == (*SIZE, 3) and pixels.dtype == np.uint8 else "other"
    except ImagesError:
        outcome = "refused"
    except BaseException as error:  # the point of the benchmark
        outcome = "other"
        row.surprises.append(f"{row.kind}: {type(error).__name__}: {error}")
    row.outcomes[outcome] += 1
    row.slowest = max(row.slowest, time.perf_counter() - began)


def work(task: tuple[str, int, int, list[Path]]) -> Row:
    """Decode the damaged images of one kind, in a process of its own."""
    kind, count, seed, photos = task
    row, random = Row(kind), np.random.default_rng([seed, len(kind), *kind.encode()])
    encode = encoders()[kind]
    stored = [encode(Image.open(path).convert("RGB")) for path in photos]
    decode(stored[0], SIZE, SERVING)  # whatever the decoder loads is there
    before = resident()
    for number in range(count):
        attempt(damaged(stored[number % len(stored)], random), row)
    row.peak = resident() - before
    return row


def explode(task: tuple[str, bytes]) -> Row:
    """Decode one bomb, in a process of its own."""
    row = Row(task[0])
    decode(encoders()["PNG"](Image.new("RGB", (9, 9))), SIZE, SERVING)
    before = resident()
    attempt(task[1], row)
    row.peak = resident() - before
    return row


def main() -> None:
    """Print the table; exit with 1 if anything but pixels or our error came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA)
    given = parser.parse_args()
    photos = sorted(given.data.glob("*.jpg"))[:200:20]
    each = -(-given.images // len(encoders()))
    tasks = [(kind, each, given.seed, photos) for kind in encoders()]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rows = [*pool.imap(work, tasks, chunksize=1), *pool.imap(explode, bombs().items(), chunksize=1)]
    print("| kind | images | decoded | refused | other | slowest, s | peak, MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        counts = " | ".join(str(row.outcomes[name]) for name in ("decoded", "refused", "other"))
        total = row.outcomes.total()
        print(f"| {row.kind} | {total} | {counts} | {row.slowest:.2f} | {row.peak:.0f} |")
    surprises = [surprise for row in rows for surprise in row.surprises]
    print(*surprises[:20], sep="\n", file=sys.stderr)
    sys.exit(1 if any(row.outcomes["other"] for row in rows) else 0)


if __name__ == "__main__":
    main()
