"""A drawn data set with everything that is wrong with real ones, for a first try without any data."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ...errors import ConfigError, ImagesError
from .drawing import draw_dress

SHARES = {
    "long_sleeves": 0.5,
    "stripes": 0.35,
    "belt": 0.4,
    "red": 0.3,
    "long_skirt": 0.5,
    "sun_hat": 0.07,
    "random_label": 0.5,
}
"""Share of images with each attribute: `sun_hat` is rare, and no picture shows `random_label`."""

MISSING_FILES = 3
FEWEST = 20
_UNKNOWN = 0.08
_QUALITY = 88


def draw_demo(
    folder: Path, images: int = 400, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Draw `images` dresses into the new folder `folder`, and return the path of its `labels.csv`.

    Among them are, as in real data: about 8% unknown labels, 3 rows without a file, byte-identical twins
    (one pair in 80 images, every other one labeled differently), a mirrored and re-encoded copy per 200,
    a PNG named .jpg and a gray picture. The same seed and Pillow give the same bytes. The folder appears when
    all is drawn, or not at all.

    Raises ImagesError for a folder that holds something or cannot be made, ConfigError for too few images.
    """
    if images < FEWEST:
        raise ConfigError(f"A demo of {images} images shows nothing: ask for at least {FEWEST}.")
    if folder.exists() and (not folder.is_dir() or next(folder.iterdir(), None) is not None):
        raise ImagesError(f"{folder} exists and is not empty: name a new folder for the demo data.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _draw_all(beside, images, seed, progress)
            beside.chmod(0o755)
            beside.replace(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise ImagesError(
            f"The demo data cannot be written to {folder} ({error.strerror or error}): name another folder."
        ) from None
    return folder / "labels.csv"


def _draw_all(folder: Path, images: int, seed: int, progress: Callable[[int, int], None] | None) -> None:
    generator = np.random.default_rng(seed)
    rows = images + MISSING_FILES
    names = [f"dress_{row:04d}.jpg" for row in range(rows)]
    truth = _truth(rows, generator)
    labels = np.where(generator.random(truth.shape) < _UNKNOWN, -1, truth)
    order = generator.permutation(rows)
    missing, order = order[:MISSING_FILES], order[MISSING_FILES:]
    lying, gray, order = order[0], order[1], order[2:]
    twins = order[: 2 * max(1, images // 80)].reshape(-1, 2)
    order = order[twins.size :]
    mirrored = order[: 2 * max(1, images // 200)].reshape(-1, 2)
    for drawn, row in enumerate(np.setdiff1d(np.arange(rows), missing), start=1):
        picture = draw_dress(dict(zip(SHARES, truth[row], strict=True)), np.random.default_rng((seed, row)))
        if row == gray:
            picture = ImageOps.grayscale(picture)
        (folder / names[row]).write_bytes(_encoded(picture, "PNG" if row == lying else "JPEG"))
        if progress is not None:
            progress(drawn, images)
    labels[gray, list(SHARES).index("red")] = -1
    for number, (row, twin) in enumerate(twins):
        shutil.copyfile(folder / names[row], folder / names[twin])
        labels[row] = labels[twin] = truth[row]
        if number % 2 == 0:
            labels[twin, [0, -1]] = 1 - truth[row, [0, -1]]
    for row, copy in mirrored:
        with Image.open(folder / names[row]) as picture:
            (folder / names[copy]).write_bytes(_encoded(ImageOps.mirror(picture), "JPEG", quality=70))
        labels[copy] = labels[row]
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["image", *SHARES])
        for name, row_labels in zip(names, labels.tolist(), strict=True):
            table.writerow([name, *("NA" if label == -1 else label for label in row_labels)])


def _truth(rows: int, generator: np.random.Generator) -> np.ndarray:
    """Return `(rows, L)` of 1 and 0, each attribute with its share of 1, the last one a coin's."""
    truth = np.zeros((rows, len(SHARES)), dtype=np.int64)
    *shown, coin = range(len(SHARES))
    for column, share in zip(shown, SHARES.values(), strict=False):
        truth[generator.permutation(rows)[: round(share * rows)], column] = 1
    # The coin decides which of two dresses of the same attributes gets the label: tossed for each row alone,
    # it would now and then go along with an attribute, and be learned through it.
    alike = np.lexsort(truth[:, shown].T)
    tosses = generator.integers(2, size=(rows + 1) // 2)
    truth[alike, coin] = np.stack([tosses, 1 - tosses], axis=1).ravel()[:rows]
    return truth


def _encoded(picture: Image.Image, kind: str, quality: int = _QUALITY) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, quality=quality)
    return content.getvalue()
