"""How much one image file may cost to decode: a record of limits, and those that are used."""

from __future__ import annotations

from dataclasses import dataclass

from .user_errors import ImagesError


@dataclass(frozen=True)
class DecodeLimits:
    """Limits on one image. A file that exceeds one is refused before its pixels are unpacked.

    Unpacking takes up to 16 bytes per pixel (WebP: two canvases, the frame, and Pillow's copy), so the
    default of 89 million pixels bounds one decode to about 1.5 GB, and 25 million to 0.4 GB.

    Example:
        >>> DecodeLimits(max_pixels=200_000_000).max_side
        65535
    """

    max_pixels: int = 89_478_485
    """Pixels unpacked at once. A baseline JPEG counts after its reduced decoding, so a photo of 108
    megapixels passes where a small size is asked for; a progressive one counts its coefficients too.
    The default is Pillow's own: RGB of a quarter GiB."""
    max_side: int = 65_535
    """Width and height each, in pixels; JPEG can store no more."""
    max_bytes: int = 2**30
    """Size of the file."""
    max_scans: int = 100
    """Scans of one JPEG. Each takes a pass over the whole image, however few bytes it has. Encoders
    write about 10; libtiff refuses more than 100 as well."""
    formats: frozenset[str] | None = None
    """Pillow's names of the formats that are read, and `DICOM`; None reads every known format."""

    def check_size(self, width: int, height: int) -> None:
        """Raise ImagesError if a side is too long. The area is checked once the reduction is known."""
        if max(width, height) > self.max_side:
            raise ImagesError(
                f"the image has {width:,} x {height:,} pixels, a side longer than {self.max_side:,}"
            )

    def check_area(self, width: int, height: int, unpacked: int | None = None) -> None:
        """Raise ImagesError if unpacking takes more than `max_pixels`; `unpacked` defaults to the area."""
        if (width * height if unpacked is None else unpacked) > self.max_pixels:
            raise ImagesError(
                f"the image has {width:,} x {height:,} pixels, more than can be unpacked within the limit "
                f"of {self.max_pixels:,}"
            )

    def check_bytes(self, size: int) -> None:
        """Raise ImagesError if a file of `size` bytes is too large to be read."""
        if size > self.max_bytes:
            raise ImagesError(f"the file has {size:,} bytes, more than {self.max_bytes:,}")


TRAINING = DecodeLimits()
"""For files that the user chose: every format, within the memory of a workstation. The setting
`data.max_pixels` raises or lowers it for the images of a folder."""

LOOKED_AT = DecodeLimits(max_pixels=2**62)
"""For files that a scan within limits has let through: their size is known, and is not judged again."""

SERVING = DecodeLimits(
    max_pixels=25_000_000,
    max_side=30_000,
    max_bytes=100_000_000,
    formats=frozenset({"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "DICOM"}),
)
"""For files from anybody: formats decoded by maintained C libraries, and DICOM where pydicom is installed.
Pillow decodes others, such as FITS and QOI, in pure Python, where a small file can take minutes."""
