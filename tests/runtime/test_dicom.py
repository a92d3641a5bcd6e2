from __future__ import annotations

import builtins
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aimonk.errors import ImagesError
from aimonk.runtime.decode_limits import SERVING, DecodeLimits
from aimonk.runtime.decoder import Description, decode, describe

pydicom = pytest.importorskip("pydicom")

DEFLATED = "1.2.840.10008.1.2.1.99"
GRAY = np.tile(np.arange(256, dtype=np.uint16), (20, 1))


def dicom(pixels: np.ndarray, syntax: str = "1.2.840.10008.1.2.1", **more: object) -> bytes:
    """A DICOM file of `(H, W)` or `(H, W, 3)` samples."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in more.items():
        setattr(dataset, name, value)
    dataset.HighBit = dataset.BitsStored - 1
    content = io.BytesIO()
    pydicom.dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()


def assert_gray(content: bytes, expected: np.ndarray = GRAY, levels: int = 1) -> None:
    pixels = decode(content).astype(int)
    assert np.abs(pixels - expected.astype(int)[..., None]).max() <= levels


def test_the_device_is_the_camera() -> None:
    content = dicom(GRAY, Manufacturer="Siemens", ManufacturerModelName="Definition AS")
    assert describe(content) == Description("DICOM", 256, 20, "Siemens Definition AS")


def test_twelve_bits_are_scaled_by_the_bits_stored() -> None:
    content = dicom(GRAY * 16, BitsStored=12)
    assert describe(content) == Description("DICOM", 256, 20)
    assert_gray(content)
    assert_gray(dicom((GRAY // 8) * 16, BitsStored=12), GRAY // 8)  # a dark one stays dark
    assert decode(content, (10, 30), SERVING).shape == (10, 30, 3)


def test_bright_where_monochrome_1_is_low() -> None:
    assert_gray(dicom(GRAY * 16, BitsStored=12, PhotometricInterpretation="MONOCHROME1"), 255 - GRAY)


def test_the_window_says_what_is_black_and_white() -> None:
    # Stored 0, 4, ..., 1020 is -1000 to 20 units. PS3.3 C.11.2.1.2.1 with center -489.5 and width 256:
    # black up to -490 - 127.5 = -617.5, white above -362.5, hence stored 382.5 to 637.5.
    window: dict[str, Any] = {
        "RescaleSlope": 1,
        "RescaleIntercept": -1000,
        "WindowCenter": -489.5,
        "WindowWidth": 256,
    }
    stored = GRAY * 4
    expected = np.clip((stored.astype(float) - 382.5), 0, 255)
    assert_gray(dicom(stored, BitsStored=12, **window), expected)
    two = window | {"WindowCenter": [-489.5, 0], "WindowWidth": [256, 2000]}
    assert_gray(dicom(stored, BitsStored=12, **two), expected)  # the first of several


def test_a_window_that_is_exact() -> None:
    window: dict[str, Any] = {"WindowCenter": 2048, "WindowWidth": 4096, "VOILUTFunction": "LINEAR_EXACT"}
    assert_gray(dicom(GRAY * 16, BitsStored=12, **window))


def test_signed_samples_without_a_window() -> None:
    assert_gray(dicom((GRAY.astype(np.int16) * 16 - 2048).astype(np.int16), BitsStored=12))


def test_color() -> None:
    color = np.stack([GRAY, GRAY[:, ::-1], GRAY], axis=-1).astype(np.uint8)
    np.testing.assert_array_equal(decode(dicom(color)), color)


def test_the_first_of_several_frames() -> None:
    frames = np.stack([GRAY * 16, GRAY * 0])
    content = dicom(frames[0], BitsStored=12, NumberOfFrames=2, PixelData=frames.tobytes())
    assert_gray(content)


def test_a_compressed_frame() -> None:
    frame = io.BytesIO()
    Image.fromarray(GRAY.astype(np.uint8)).save(frame, "JPEG", quality=100)
    jpeg = {
        "PixelData": pydicom.encaps.encapsulate([frame.getvalue()]),
        "syntax": "1.2.840.10008.1.2.4.50",
        "BitsAllocated": 8,
        "BitsStored": 8,
    }
    assert_gray(dicom(GRAY, **jpeg), levels=3)
    with pytest.raises(ImagesError, match="another size"):
        decode(dicom(GRAY[:10], **jpeg))


def test_limits() -> None:
    content = dicom(GRAY)
    for limits in (DecodeLimits(max_pixels=5119), DecodeLimits(max_side=255)):
        for read in (describe, decode):
            with pytest.raises(ImagesError, match="256 x 20 pixels"):
                read(content, limits=limits)
    with pytest.raises(ImagesError, match="format DICOM are not read"):
        decode(content, limits=DecodeLimits(formats=frozenset({"PNG"})))
    deflated = dicom(np.zeros((2000, 2000), np.uint16), DEFLATED)
    assert len(deflated) < 20_000
    for read in (describe, decode):
        with pytest.raises(ImagesError, match="unpacks to more than 1,000,000 bytes"):
            read(deflated, limits=DecodeLimits(max_bytes=1_000_000))


def test_a_deflated_file_is_read_as_any_other() -> None:
    content = dicom(GRAY * 16, DEFLATED, BitsStored=12)
    assert len(content) < GRAY.nbytes
    assert describe(content) == Description("DICOM", 256, 20)
    assert_gray(content)
    for damaged in (content[:-200], content[:400] + bytes(50) + content[450:]):
        with pytest.raises(ImagesError, match="damaged|no image"):
            decode(damaged)


def test_damage() -> None:
    content = dicom(GRAY * 16, BitsStored=12)
    with pytest.raises(ImagesError, match="damaged"):
        decode(content[:-100])
    for length in range(132, len(content) - 10_300, 7):
        with pytest.raises(ImagesError):
            decode(content[:length])


def test_without_pydicom(monkeypatch: pytest.MonkeyPatch) -> None:
    content, real = dicom(GRAY), builtins.__import__

    def absent(name: str, *arguments: Any) -> object:
        if name == "pydicom":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImagesError, match="pip install 'aimonk"):
        decode(content)
