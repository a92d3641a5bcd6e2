"""What an image file is apart from what it shows: where labels may come from that no model should learn."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import ExifTags, Image

from ..errors import ImagesError
from ..runtime.decode_limits import LOOKED_AT
from ..runtime.decoder import decode
from ..runtime.image_file import read_image_file

BORDER_SIDE = 16
"""The border is the outer ring of a grid of so many cells along each side."""

BINS = 8
"""Numbers are cut into so many classes of equal size, since a shortcut need not be monotonic."""

MOST_CLASSES = 200
"""Of folders or cameras: the rarer ones are one class together, since few files say little of others."""

_SHRUNK = 2 * BORDER_SIDE


@dataclass(frozen=True)
class FileTraits:
    """Traits of N files: each `(N, d) float64`, columns of which a linear score is made.

    A trait that is the same for all files is left out.
    """

    columns: dict[str, np.ndarray]
    """By trait: folder, format, file size, aspect ratio, resolution, JPEG quality, camera, border pixels."""


@dataclass(frozen=True)
class _File:
    """Traits of one file; what it does not say is nan or empty."""

    folder: str
    format: str
    size: float
    width: float
    height: float
    quantization: float
    """Mean of the luminance quantization table: low for high JPEG quality."""
    camera: str
    border: np.ndarray
    """`(cells of the ring * 3,)` mean colors from 0 to 1."""


def file_traits(
    names: Sequence[str], paths: Sequence[Path], progress: Callable[[int, int], None] | None = None
) -> FileTraits:
    """Read the traits of images that can be decoded.

    Args:
        names: as in the labels; the folder is a part of them.
        paths: of the files, in the same order.
        progress: called with (files done, files).
    """
    files = []
    with ThreadPoolExecutor() as pool:
        for done, file in enumerate(pool.map(_read, names, paths), start=1):
            files.append(file)
            if progress is not None:
                progress(done, len(paths))
    numbers = {
        "file size": [file.size for file in files],
        "aspect ratio": [file.width / file.height for file in files],
        "resolution": [file.width * file.height for file in files],
        "JPEG quality": [file.quantization for file in files],
    }
    words = {
        "folder": [file.folder for file in files],
        "format": [file.format for file in files],
        "camera": [file.camera for file in files],
    }
    columns = {trait: binned(np.array(values)) for trait, values in numbers.items()}
    columns |= {trait: one_hot(frequent(np.array(values))) for trait, values in words.items()}
    columns["border pixels"] = np.stack([file.border for file in files])
    return FileTraits({trait: found for trait, found in columns.items() if np.ptp(found, axis=0).any()})


def binned(values: np.ndarray) -> np.ndarray:
    """`(N,)` numbers, nan allowed, as `(N, d)` indicators of `BINS` quantile classes, nan being one more."""
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.arange(1, BINS) / BINS)) if known.any() else np.empty(0)
    return one_hot(np.where(known, np.searchsorted(edges, values, side="right"), -1))


def frequent(values: np.ndarray, most: int = MOST_CLASSES) -> np.ndarray:
    """`(N,)` words, of which all but the `most` most frequent ones become an empty one.

    >>> frequent(np.array(["a", "b", "b"]), most=1).tolist()
    ['', 'b', 'b']
    """
    words, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    kept = np.zeros(words.size, bool)
    kept[np.argsort(-counts, kind="stable")[:most]] = True
    return np.where(kept[place], values, "")


def one_hot(values: np.ndarray) -> np.ndarray:
    """`(N,)` values as `(N, d)` indicators of those that occur.

    >>> one_hot(np.array(["a", "b", "a"])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    return np.asarray(values[:, None] == np.unique(values), np.float64)


def _read(name: str, path: Path) -> _File:
    nothing = np.full((BORDER_SIDE**2 - (BORDER_SIDE - 2) ** 2) * 3, 0.5)
    folder = str(PurePosixPath(name).parent)
    try:
        content, _ = read_image_file(path)
        with Image.open(io.BytesIO(content)) as image:
            kind, (width, height) = str(image.format), image.size
            tables = getattr(image, "quantization", None) or {}
            exif = image.getexif()
            camera = " ".join(str(exif.get(tag, "")) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
        border = _ring(decode(content, (_SHRUNK, _SHRUNK), LOOKED_AT))
    except (ImagesError, OSError, ValueError, SyntaxError):  # Pillow's errors on what our decoder reads
        return _File(folder, "", 0.0, 1.0, 1.0, float("nan"), "", nothing)
    quantization = float(np.mean(tables[0])) if 0 in tables else float("nan")
    return _File(folder, kind, float(len(content)), width, height, quantization, camera.strip(), border)


def _ring(pixels: np.ndarray) -> np.ndarray:
    """Mean colors of the outer ring of cells."""
    step = _SHRUNK // BORDER_SIDE
    cells = pixels.reshape(BORDER_SIDE, step, BORDER_SIDE, step, 3).mean(axis=(1, 3)) / 255
    ring = np.ones((BORDER_SIDE, BORDER_SIDE), bool)
    ring[1:-1, 1:-1] = False
    return np.asarray(cells[ring].ravel())
