"""DICOM files to 8 bits, as a viewer first shows them. Needs pydicom, which is an extra."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from .decode_limits import DecodeLimits
from .decoding_room import ROOM
from .deflated_dicom import check_deflated
from .image_formats import open_image, silence_decoders
from .pixel_range import to_8_bits
from .user_errors import ImagesError

_JPEG_FAMILY = "1.2.840.10008.1.2.4."
"""Transfer syntaxes whose frames are JPEG, JPEG-LS or JPEG 2000 files."""
_GRAY = ("MONOCHROME1", "MONOCHROME2")


def describe_dicom(data: bytes, limits: DecodeLimits) -> tuple[int, int, str]:
    """Return width and height of a DICOM file's image, and the device that took it.

    Raises:
        ImagesError: pydicom is not installed, the file is damaged or holds no image, or exceeds a limit.
    """
    dataset = _read(data, limits)
    made = (str(dataset.get(key) or "") for key in ("Manufacturer", "ManufacturerModelName"))
    return int(dataset.Columns), int(dataset.Rows), " ".join(made).strip()


def decode_dicom(data: bytes, limits: DecodeLimits) -> Image.Image:
    """Return the first image of a DICOM file as 8-bit RGB.

    Gray values are rescaled by slope and intercept (PS3.3, C.11.1), then shown through the first window
    (C.11.2), or over the range of the bits stored where there is no window. MONOCHROME1 is inverted.

    Raises:
        ImagesError: as for `describe_dicom`, or the pixels are damaged, or compressed in an unknown way.
    """
    dataset = _read(data, limits)
    _check_frame(dataset, limits)
    with ROOM.hold(int(dataset.Columns) * int(dataset.Rows), limits.max_pixels):
        return _unpacked(dataset)


def _unpacked(dataset: Any) -> Image.Image:
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    try:
        stored = pixel_array(dataset, index=0)
        kind = str(dataset.PhotometricInterpretation)
        if kind in _GRAY:
            return Image.fromarray(_gray(dataset, stored, inverted=kind == "MONOCHROME1")).convert("RGB")
        if kind == "PALETTE COLOR":
            stored = apply_color_lut(stored, dataset)[..., :3]
        bits = 8 * stored.dtype.itemsize if kind == "PALETTE COLOR" else int(dataset.BitsStored)
        return Image.fromarray(to_8_bits(stored, 0, 2**bits - 1) if bits != 8 else stored).convert("RGB")
    except MemoryError:
        raise
    except Exception as error:  # pydicom raises nearly every built-in exception
        raise ImagesError(f"the DICOM image is damaged or compressed in an unknown way ({error})") from error


def _read(data: bytes, limits: DecodeLimits) -> Any:
    if limits.formats is not None and "DICOM" not in limits.formats:
        raise ImagesError("images in the format DICOM are not read")
    limits.check_bytes(len(data))
    silence_decoders()
    try:
        import pydicom
    except ImportError:
        raise ImagesError("DICOM is read where pydicom is installed: pip install 'aimonk[dicom]'") from None
    check_deflated(data, limits)
    try:
        dataset = pydicom.dcmread(io.BytesIO(data))
        width, height, samples = (int(dataset.get(key, 0)) for key in ("Columns", "Rows", "SamplesPerPixel"))
    except Exception as error:
        raise ImagesError(f"the DICOM file is damaged ({error})") from error
    if not (width and height and samples and "PixelData" in dataset):
        raise ImagesError("the DICOM file holds no image")
    limits.check_size(width, height)
    limits.check_area(width, height)
    return dataset


def _check_frame(dataset: Any, limits: DecodeLimits) -> None:
    """Refuse a compressed frame that claims another size than the file around it."""
    from pydicom.encaps import get_frame

    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    if not syntax.startswith(_JPEG_FAMILY):
        return
    try:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=int(dataset.get("NumberOfFrames", 1) or 1))
    except Exception as error:
        raise ImagesError(f"the DICOM image is damaged ({error})") from error
    with open_image(frame, DecodeLimits(limits.max_pixels, limits.max_side)) as image:
        if image.size != (dataset.Columns, dataset.Rows):
            raise ImagesError("the DICOM image is damaged: its compressed pixels have another size")


def _gray(dataset: Any, stored: np.ndarray, inverted: bool) -> np.ndarray:
    """`(H, W) uint8` of one frame of stored gray values."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    values = apply_modality_lut(stored, dataset)
    function = str(dataset.get("VOILUTFunction", "LINEAR") or "LINEAR")
    if "VOILUTSequence" in dataset or function == "SIGMOID":
        shown = apply_voi_lut(values, dataset, index=0)
        black, white = float(shown.min()), float(shown.max())
        gray = to_8_bits(shown, black, white if white > black else black + 1)
    else:
        gray = to_8_bits(values, *(_window(dataset, function) or _stored_range(dataset)))
    return 255 - gray if inverted else gray


def _window(dataset: Any, function: str) -> tuple[float, float] | None:
    """Values shown black and white: PS3.3, C.11.2.1.2.1 (LINEAR) and C.11.2.1.3.2 (LINEAR_EXACT)."""
    center, width = (_first(dataset.get(key)) for key in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or width < 1:
        return None
    if function == "LINEAR_EXACT":
        return center - width / 2, center + width / 2
    half = max(width - 1, 1e-3) / 2
    return center - 0.5 - half, center - 0.5 + half


def _stored_range(dataset: Any) -> tuple[float, float]:
    """The range of the bits stored, rescaled."""
    bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation", 0))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = (
        float(dataset.get(key, other)) for key, other in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    ends = low * slope + intercept, high * slope + intercept
    return (min(ends), max(ends)) if slope else (0.0, 1.0)


def _first(value: Any) -> float | None:
    """The first of one or several numbers."""
    if value is None or value == "":
        return None
    return float(value[0]) if hasattr(value, "__iter__") else float(value)
