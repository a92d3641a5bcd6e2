"""Which program reads an image file: Pillow's plugins, pillow-heif, and pydicom where it is installed."""

from __future__ import annotations

import io
import logging
import struct
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from PIL import Image, ImageFile

from .decode_limits import DecodeLimits
from .encoded_size import jpeg_coefficients, jpeg_scans, webp_canvas
from .user_errors import ImagesError

Opener = Callable[[io.BytesIO, str], ImageFile.ImageFile]

_NEVER = frozenset({"EPS"})
"""Pillow hands PostScript to Ghostscript, a program that nobody's upload should start."""
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
"""Major brands of ISO/IEC 23008-12; the last two are AVIF's as well."""
_HEIF_SUFFIXES = (".heic", ".heics", ".heif", ".heifs", ".hif")
_DICOM_SUFFIXES = (".dcm", ".dicom")
_NOT_THIS_FORMAT = (SyntaxError, IndexError, TypeError, struct.error)
"""What a plugin raises where the bytes are another format's; `Image.open` goes by the same four."""
_QUIET = r"(PIL|pillow_heif|pydicom)\."

# A library must not print: without this, Python shows records that no handler of the user's takes.
logging.getLogger("PIL").addHandler(logging.NullHandler())
logging.getLogger("pydicom").addHandler(logging.NullHandler())


def silence_decoders() -> None:
    """Keep the decoders' warnings, about damaged metadata mostly, off the screen.

    `warnings.catch_warnings` would do it, but it swaps the filters of every thread. So one filter is added
    for good, and moved to the front again where somebody has reset the filters or added others.
    """
    first = warnings.filters[0] if warnings.filters else (None,) * 5
    if getattr(first[3], "pattern", "") != _QUIET:
        warnings.filterwarnings("ignore", module=_QUIET)


def installed_decoders() -> str:
    """Return names and versions of the decoders, to tell apart what two installations can read.

    Example:
        >>> installed_decoders()
        'pillow-13.0.0-pillow_heif-1.8.1'
    """
    found = [name for name in ("pillow", "pillow_heif", "pydicom") if _is_installed(name)]
    return "-".join(f"{name}-{metadata.version(name)}" for name in found)


def image_suffixes() -> dict[str, str]:
    """Return the format of every file name suffix that can be read, e.g. `{".jpg": "JPEG", ...}`."""
    Image.init()  # makes every plugin known, which takes some 20 ms once
    known = {suffix: kind for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    known = {suffix: kind for suffix, kind in known.items() if kind not in _NEVER}
    if _is_installed("pillow_heif"):
        known |= dict.fromkeys(_HEIF_SUFFIXES, "HEIF")
    return known | dict.fromkeys(_DICOM_SUFFIXES, "DICOM")


def is_dicom(data: bytes) -> bool:
    """Whether the bytes are a DICOM file (PS3.10, section 7.1)."""
    return data[128:132] == b"DICM"


def open_image(data: bytes, limits: DecodeLimits) -> ImageFile.ImageFile:
    """Return an image whose header is read and whose pixels are not.

    `Image.open` is not used: it warns of large images, refuses those beyond a limit that the whole process
    shares, and opens a WebP before its size is known.

    Raises:
        ImagesError: the bytes are no image, are damaged, or exceed a limit.
    """
    silence_decoders()
    if not data:
        raise ImagesError("the file is empty")
    limits.check_bytes(len(data))
    if canvas := webp_canvas(data):
        limits.check_size(*canvas)
        limits.check_area(*canvas)
    try:
        image = _identify(data, limits)
    except ImagesError:
        raise
    except MemoryError:
        raise ImagesError("the image's header claims more memory than there is") from None
    except Image.DecompressionBombError:
        raise ImagesError(f"the image has more than {limits.max_pixels:,} pixels") from None
    except Exception as error:  # Pillow's plugins raise nearly every built-in exception
        raise ImagesError(f"the image's header is damaged ({error})") from error
    limits.check_size(*image.size)
    _check_structure(image, data, limits)
    return image


def unpacked_pixels(image: ImageFile.ImageFile, data: bytes, size: tuple[int, int]) -> int:
    """Return what decoding costs, in pixels of 4 bytes, if `size` (width, height) is unpacked.

    libjpeg keeps the coefficients of a progressive JPEG, 2 bytes each, whatever size it unpacks to.
    """
    area = size[0] * size[1]
    return area + jpeg_coefficients(data) // 2 if is_jpeg(image) else area


def is_jpeg(image: ImageFile.ImageFile) -> bool:
    """Whether libjpeg decodes it; Pillow calls a JPEG with more pictures behind it MPO."""
    return image.format in ("JPEG", "MPO")


def _identify(data: bytes, limits: DecodeLimits) -> ImageFile.ImageFile:
    prefix, refused = data[:16], ""
    for name, accept, opener in _openers(prefix):
        if accept is not None and accept(prefix) is not True:
            continue
        if name in _NEVER or (limits.formats is not None and name not in limits.formats):
            refused = refused or (name if accept else "")
            continue
        try:
            return opener(io.BytesIO(data), "")
        except _NOT_THIS_FORMAT:
            continue
    if not refused:
        raise ImagesError("not an image")
    allowed = f"; send one of {', '.join(sorted(limits.formats))}" if limits.formats else ""
    raise ImagesError(f"images in the format {refused} are not read{allowed}")


def _openers(prefix: bytes) -> Iterator[tuple[str, Callable[[bytes], Any] | None, Opener]]:
    """Yield (format, test of the first 16 bytes, opener), in Pillow's order: the common ones first."""
    done = set()
    for load in (Image.preinit, Image.init):
        load()
        for name in [name for name in Image.ID if name not in done]:
            done.add(name)
            opener, accept = Image.OPEN[name]
            yield name, accept, opener
    if "HEIF" not in done and prefix[4:8] == b"ftyp" and prefix[8:12] in _HEIF_BRANDS:
        yield "HEIF", None, _open_heif


def _open_heif(file: io.BytesIO, name: str) -> ImageFile.ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImagesError("HEIC images are read where pillow-heif is installed") from None
    opener: Opener = HeifImageFile
    return opener(file, name)


def _check_structure(image: ImageFile.ImageFile, data: bytes, limits: DecodeLimits) -> None:
    """Refuse what costs far more than its size says: JPEGs of very many scans, TIFFs of giant tiles."""
    if is_jpeg(image) and (scans := jpeg_scans(data)) > limits.max_scans:
        raise ImagesError(f"the JPEG has {scans:,} scans, more than {limits.max_scans:,}")
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        width, height = (tags.get(number, 0) for number in (322, 323))  # TileWidth, TileLength
        if isinstance(width, int) and isinstance(height, int) and width * height > limits.max_pixels:
            raise ImagesError(f"the TIFF has tiles of {width:,} x {height:,} pixels, too many to unpack")


def _is_installed(name: str) -> bool:
    return name == "pillow" or find_spec(name) is not None
