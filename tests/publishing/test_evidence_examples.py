from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aimonk.backbones.linear_head import append_head
from aimonk.config import Config
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.publishing.evidence_examples import PICTURES, evidence_examples
from aimonk.runtime.record import Attribute, PackageInfo
from aimonk.serving.package import write_package

from ..serving.conftest import HEAD, mean_color


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """`red` has the logit red / 100 - 1, `dark` 0.5 - blue / 100, at 64 x 64 pixels."""
    info = PackageInfo(
        (Attribute("red", 0.5), Attribute("dark", 0.5)), (64, 64), "f32", "mean", weights="none"
    )
    write_package(tmp_path / "model", append_head(mean_color(64), HEAD), info, HEAD)
    return tmp_path / "model"


@pytest.fixture
def photos(tmp_path: Path) -> Dataset:
    """Twelve gray photos, red at the left edge where labeled so."""
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = ["image,red,dark"]
    for number in range(12):
        pixels = np.full((64, 64, 3), 128, np.uint8)
        pixels[number, 40] = 0  # no copies
        if number % 2:
            pixels[:, :8, 0] = 255
        Image.fromarray(pixels).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{number % 2},{int(number < 6)}")
    (folder / "labels.csv").write_text("\n".join(lines))
    return read_dataset(folder, None, Config(), keep_unlearnable=True)


def test_a_few_pictures_and_what_is_mostly_background(package: Path, photos: Dataset) -> None:
    found = evidence_examples(package, photos, ("red",))
    assert list(found.pictures) == [f"{number}-red.png" for number in range(1, PICTURES + 1)]
    assert all(content.startswith(b"\x89PNG") for content in found.pictures.values())
    (sentence,) = found.background
    assert sentence.startswith("'red': on average over 6 photos, ")
    assert sentence.endswith("% of the evidence lies in the border of the image.")


def test_nothing_learned_has_no_examples(package: Path, photos: Dataset) -> None:
    found = evidence_examples(package, photos, ())
    assert (found.pictures, found.background) == ({}, ())


def test_pictures_that_the_report_asks_for(package: Path, photos: Dataset) -> None:
    photos.paths[3].write_bytes(b"no image any more")
    cells = [(photos.names[1], "red"), (photos.names[1], "dark"), (photos.names[3], "red")]
    found = evidence_examples(package, photos, ("red",), cells)
    assert list(found.overlays) == cells[:2]
    with Image.open(io.BytesIO(found.overlays[cells[0]])) as picture:
        assert picture.size == (64, 64)
        pixels = np.asarray(picture).astype(int)
    left, right = pixels[:, :8].mean(axis=(0, 1)), pixels[:, 40:].mean(axis=(0, 1))
    assert left[0] - left[2] > 100  # where it is red, the evidence for red is drawn in red
    assert abs(right[0] - right[2]) < 5
