from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngImageFile

from aimonk.errors import ImagesError
from aimonk.runtime.decode_limits import SERVING, TRAINING, DecodeLimits
from aimonk.runtime.decoder import Description, decode, describe

Encode = Callable[..., bytes]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters() -> Image.Image:
    """Red and green above blue and white, each 20 wide and 10 high."""
    corners = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
    return Image.fromarray(corners.repeat(10, axis=0).repeat(20, axis=1))


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The colors of the four corners, row by row."""
    return [tuple(pixels[y, x].tolist()) for y in (0, -1) for x in (0, -1)]


# What the stored corners become: EXIF 2.32, table "orientation"; e.g. 6 is shown turned clockwise.
SHOWN = {
    1: [RED, GREEN, BLUE, WHITE],
    2: [GREEN, RED, WHITE, BLUE],
    3: [WHITE, BLUE, GREEN, RED],
    4: [BLUE, WHITE, RED, GREEN],
    5: [RED, BLUE, GREEN, WHITE],
    6: [BLUE, RED, WHITE, GREEN],
    7: [WHITE, GREEN, BLUE, RED],
    8: [GREEN, WHITE, RED, BLUE],
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_orientation_is_applied(encode: Encode, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(quarters(), kind, exif=exif)
    height, width = (40, 20) if orientation >= 5 else (20, 40)
    assert describe(content) == Description(kind, width, height)
    assert decode(content).shape == (height, width, 3)
    assert corners(decode(content)) == SHOWN[orientation]
    assert decode(content, (6, 8)).shape == (6, 8, 3)
    assert corners(decode(content, (6, 8))) == SHOWN[orientation]


def test_a_large_jpeg_on_its_side_is_reduced_and_turned(encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(quarters().resize((640, 320), Image.Resampling.NEAREST), "JPEG", exif=exif)
    pixels = decode(content, (100, 30))
    assert pixels.shape == (100, 30, 3)
    np.testing.assert_allclose(corners(pixels), SHOWN[6], atol=12)


def test_damaged_exif_leaves_the_image_as_it_is(encode: Encode) -> None:
    content = encode(quarters(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert corners(decode(content)) == SHOWN[1]


GREYS = np.array([[0, 65535], [32768, 257]], dtype=np.uint16)


def layered(mode: str, color: tuple[int, ...]) -> Image.Image:
    return Image.new(mode, (2, 2), color)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        pytest.param(Image.new("1", (2, 2), 1), "PNG", [WHITE] * 4, id="bits"),
        pytest.param(Image.new("L", (2, 2), 77), "PNG", [(77,) * 3] * 4, id="gray"),
        pytest.param(Image.new("L", (16, 16), 77), "JPEG", [(77,) * 3] * 4, id="gray jpeg"),
        pytest.param(Image.new("RGB", (2, 2), GREEN).quantize(4), "GIF", [GREEN] * 4, id="palette"),
        pytest.param(layered("RGBA", (200, 0, 0, 0)), "PNG", [WHITE] * 4, id="transparent"),
        # 51 of 255 of opaque red over white: 0.2 * 0 + 0.8 * 255 = 204
        pytest.param(layered("RGBA", (255, 0, 0, 51)), "PNG", [(255, 204, 204)] * 4, id="half"),
        pytest.param(layered("LA", (0, 51)), "PNG", [(204,) * 3] * 4, id="gray half"),
        # 16 bits: 65535 is white, 32768 / 257 = 127.5 (even: 128), 257 / 257 = 1
        pytest.param(Image.fromarray(GREYS), "PNG", [(0,) * 3, WHITE, (128,) * 3, (1,) * 3], id="16 bit"),
        pytest.param(Image.fromarray(GREYS), "TIFF", [(0,) * 3, WHITE, (128,) * 3, (1,) * 3], id="tiff 16"),
        pytest.param(Image.fromarray(GREYS), "PPM", [(0,) * 3, WHITE, (128,) * 3, (1,) * 3], id="pgm 16"),
        pytest.param(
            Image.fromarray(np.array([[0, 1], [0.5, np.nan]], np.float32)), "TIFF",
            [(0,) * 3, WHITE, (128,) * 3, (0,) * 3], id="float",
        ),
        # Ink: no cyan, full magenta and yellow, no black is red
        pytest.param(layered("CMYK", (0, 255, 255, 0)), "TIFF", [RED] * 4, id="ink"),
    ],
)  # fmt: skip
def test_every_kind_of_pixel_becomes_rgb(
    encode: Encode, image: Image.Image, kind: str, expected: list[tuple[int, ...]]
) -> None:
    pixels = decode(encode(image, kind))
    assert pixels.dtype == np.uint8
    assert corners(pixels) == expected


def test_ink_in_a_jpeg(encode: Encode) -> None:
    pixels = decode(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    np.testing.assert_allclose(pixels[8, 8], RED, atol=4)


def test_a_transparent_color_of_a_palette_is_white(encode: Encode) -> None:
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([*GREEN, *RED])
    assert corners(decode(encode(palette, "PNG", transparency=1))) == [WHITE] * 4
    assert corners(decode(encode(palette, "PNG", transparency=0))) == [RED] * 4


def test_an_animation_yields_its_first_frame(encode: Encode) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in (BLUE, RED)]
    assert corners(decode(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))) == [BLUE] * 4


def test_resizing_averages_what_it_leaves_out(encode: Encode) -> None:
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 255
    pixels = decode(encode(Image.fromarray(stripes), "PNG"), (8, 8))
    assert pixels.shape == (8, 8, 3)
    # Without antialiasing every eighth column would be white or black.
    np.testing.assert_allclose(pixels[:, 1:-1], 127.5, atol=1)


def test_a_reduced_jpeg_looks_like_the_whole_one_resized(
    encode: Encode, photo: Callable[[int], Image.Image]
) -> None:
    content = encode(photo(1).resize((1200, 900), Image.Resampling.BICUBIC), quality=95)
    whole = Image.fromarray(decode(content)).resize((64, 48), Image.Resampling.BOX)
    reduced = decode(content, (48, 64)).astype(int)
    assert np.abs(reduced - np.asarray(whole)).max() <= 8


def test_a_jpeg_is_never_unpacked_below_what_is_asked_for(
    encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encode(Image.new("RGB", (480, 360)))
    unpacked = []
    resize = Image.Image.resize

    def watched(image: Image.Image, *arguments: Any) -> Image.Image:
        unpacked.append(image.size)
        return resize(image, *arguments)

    monkeypatch.setattr(Image.Image, "resize", watched)
    for size in ((224, 224), (180, 200), (90, 100), (10, 10), (400, 500)):
        assert decode(content, size).shape == (*size, 3)
    # Width and height both allow 1/1, 1/2 (240 x 180), 1/4 (120 x 90), and 1/8 (60 x 45) at most.
    assert unpacked == [(480, 360), (240, 180), (120, 90), (60, 45), (480, 360)]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "the file is empty"), (b"GIF? no, text", "not an image")],
)
def test_what_is_no_image(content: bytes, said: str) -> None:
    for read in (decode, describe):
        with pytest.raises(ImagesError, match=said):
            read(content)


def test_postscript_is_not_run() -> None:
    drawing = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(ImagesError, match="format EPS are not read"):
        decode(drawing)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_file_cut_short_is_an_error(encode: Encode, photo: Callable[[int], Image.Image], kind: str) -> None:
    content = encode(photo(2), kind)
    for share in (0.05, 0.5, 0.9):
        with pytest.raises(ImagesError):
            decode(content[: int(share * len(content))])
        with pytest.raises(ImagesError):
            decode(content[: int(share * len(content))], (16, 16))


def test_a_small_file_cannot_claim_any_number_of_pixels(encode: Encode) -> None:
    content = encode(quarters(), "PNG")
    for side in (10_000, 20_000, 2**31 - 1):
        header = b"IHDR" + struct.pack(">II", side, side) + content[24:29]
        bomb = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
        for read in (decode, describe):
            with pytest.raises(ImagesError, match="pixels"):
                read(bomb)
    with pytest.raises(ImagesError, match="40 x 20 pixels, more than .* limit of 799"):
        decode(content, limits=DecodeLimits(max_pixels=799))
    assert decode(content, limits=DecodeLimits(max_pixels=800)).shape == (20, 40, 3)


def samples() -> dict[str, bytes]:
    """A small file of every format that a server reads."""
    made = {}
    for kind, options in {
        "JPEG": {}, "PNG": {}, "GIF": {}, "TIFF": {"compression": "tiff_lzw"}, "BMP": {}, "WEBP": {},
        "AVIF": {},
    }.items():  # fmt: skip
        whole = io.BytesIO()
        quarters().save(whole, kind, **options)
        made[kind] = whole.getvalue()
    whole = io.BytesIO()
    pillow_heif.from_pillow(quarters().resize((64, 64))).save(whole)
    return made | {"HEIF": whole.getvalue(), "PNG 16": sixteen_bits(np.array([[0, 9], [40, 7]], np.uint16))}


def sixteen_bits(gray: np.ndarray) -> bytes:
    whole = io.BytesIO()
    Image.fromarray(gray).save(whole, "PNG")
    return whole.getvalue()


SAMPLES = samples()
DAMAGE = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8)


@settings(max_examples=300, deadline=None)
@given(damage=DAMAGE, kept=st.floats(0.02, 1.0), kind=st.sampled_from(sorted(SAMPLES)))
@pytest.mark.parametrize("limits", [TRAINING, SERVING], ids=["training", "serving"])
def test_damage_gives_pixels_or_our_error_and_nothing_else(
    limits: DecodeLimits, damage: list[tuple[int, int]], kept: float, kind: str
) -> None:
    content = bytearray(SAMPLES[kind])
    for place, value in damage:
        content[place % len(content)] = value
    content = content[: max(1, int(kept * len(content)))]
    try:
        pixels = decode(bytes(content), (8, 9), limits)
        assert pixels.shape == (8, 9, 3) and pixels.dtype == np.uint8
    except ImagesError as error:
        assert str(error)


def test_memory_that_is_not_there_is_that_images_error(
    encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(self: object) -> None:
        raise MemoryError

    monkeypatch.setattr(PngImageFile, "load_prepare", no_memory)
    with pytest.raises(ImagesError, match="takes more memory than there is"):
        decode(encode(quarters(), "PNG"))


def test_a_photo_names_its_camera_and_how_coarsely_it_was_saved(encode: Encode) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Canon\0", "EOS 80D"
    tables = [[2] * 32 + [4] * 32, [9] * 64]
    content = encode(Image.new("RGB", (32, 16), RED), exif=exif, qtables=tables)
    assert describe(content) == Description("JPEG", 32, 16, "Canon EOS 80D", 3.0)


def test_a_photo_of_108_megapixels_is_reduced_while_it_is_unpacked(encode: Encode) -> None:
    content = encode(Image.new("RGB", (12_000, 9_000), RED))
    found = describe(content, SERVING)
    assert (found.format, found.width, found.height) == ("JPEG", 12_000, 9_000)
    np.testing.assert_allclose(decode(content, (224, 224), SERVING)[0, 0], RED, atol=2)
    with pytest.raises(ImagesError, match="more than can be unpacked"):
        decode(content)  # all of it


def test_a_progressive_jpeg_counts_its_coefficients(encode: Encode) -> None:
    # 4:2:0 has 1.5 coefficients a pixel, and two take the memory of a pixel: 0.75 * 480,000 + 100 * 75
    content = encode(Image.new("RGB", (800, 600)), progressive=True)
    assert decode(content, (60, 80), DecodeLimits(max_pixels=367_500)).shape == (60, 80, 3)
    for read in (lambda limits: decode(content, (60, 80), limits), lambda limits: describe(content, limits)):
        with pytest.raises(ImagesError, match="800 x 600"):
            read(DecodeLimits(max_pixels=367_499))
    baseline = encode(Image.new("RGB", (800, 600)))
    assert decode(baseline, (60, 80), DecodeLimits(max_pixels=7_500)).shape == (60, 80, 3)


def earlier(content: bytes, size: tuple[int, int] | None) -> np.ndarray:
    """Pixels of a photo as the first version of the decoder had them, written with Pillow alone."""
    with Image.open(io.BytesIO(content)) as image:
        orientation = image.getexif().get(0x0112, 1)
        if size is not None:
            image.draft(None, size if orientation >= 5 else size[::-1])
        layer = image.convert("RGBA") if image.has_transparency_data else image
        if layer.mode == "RGBA":
            layer = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        rgb = layer.convert("RGB")
        if size is not None and rgb.size != (size if orientation >= 5 else size[::-1]):
            rgb = rgb.resize(size if orientation >= 5 else size[::-1], Image.Resampling.BILINEAR)
        return np.asarray(ImageOps.exif_transpose(rgb) if orientation > 1 else rgb)


@pytest.mark.parametrize("size", [(224, 224), (96, 128), None], ids=str)
def test_photos_have_the_pixels_that_stored_features_were_made_from(
    shared: Path, size: tuple[int, int] | None
) -> None:
    photos = sorted((shared / "data" / "clothing" / "images").glob("*.jpg"))[::40]
    photos += sorted((shared / "data" / "aimonk_full_size").rglob("*.jpg"))[::8]
    assert len(photos) > 30
    for photo in photos:
        content = photo.read_bytes()
        np.testing.assert_array_equal(decode(content, size), earlier(content, size), err_msg=str(photo))


def test_threads_decode_alike(encode: Encode, photo: Callable[[int], Image.Image]) -> None:
    contents = [encode(photo(number), kind) for number in range(6) for kind in ("JPEG", "PNG")]
    expected = [decode(content, (32, 32)) for content in contents]
    with ThreadPoolExecutor(8) as pool:
        for pixels, wanted in zip(
            pool.map(lambda content: decode(content, (32, 32)), contents * 10), expected * 10, strict=True
        ):
            np.testing.assert_array_equal(pixels, wanted)
