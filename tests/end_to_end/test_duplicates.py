"""Copies that a test plants among real photos: found by the command line, and never torn apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from aimonk.config import Config, SplitConfig
from aimonk.data.dataset import read_dataset
from aimonk.data.split import grouped_split, straddling
from aimonk.evaluation.cross_validation import fold_splits
from tests.end_to_end.conftest import Desk

PHOTOS = tuple(range(100, 160))
"""Dresses, most of them on white and much alike; no two are one photo."""
COPIED = tuple(range(100, 160, 7))


@pytest.fixture
def planted(shared: Path, tmp_path: Path) -> Desk:
    """60 real photos and, of each seventh, a re-encoded, a mirrored, and a small mirrored copy."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in PHOTOS:
        shutil.copy(shared / "data/aimonk/images" / f"image_{number}.jpg", folder)
    for number in COPIED:
        with Image.open(folder / f"image_{number}.jpg") as opened:
            photo = opened.convert("RGB")
        photo.save(folder / f"reencoded_{number}.jpg", quality=40)
        ImageOps.mirror(photo).save(folder / f"mirrored_{number}.png")
        small = photo.resize((photo.width // 2, photo.height // 2))
        ImageOps.mirror(small).save(folder / f"small_{number}.webp", quality=70)
    names = sorted(path.name for path in folder.iterdir())
    draw = np.random.default_rng(0).integers(0, 2, (len(names), 3))
    rows = [f"{name} {' '.join(map(str, row))}" for name, row in zip(names, draw.tolist(), strict=True)]
    (folder / "labels.txt").write_text("\n".join(rows))
    return Desk(tmp_path)


def copies(number: int) -> set[str]:
    altered = (f"reencoded_{number}.jpg", f"mirrored_{number}.png", f"small_{number}.webp")
    return {f"image_{number}.jpg", *altered}


def test_the_audit_names_every_planted_copy_and_nothing_else(planted: Desk) -> None:
    found = planted.answer("audit", "--data", "images")
    assert found["identical"] == []
    assert found["retouched"] == []
    groups = {frozenset(group) for group in found["near_identical"]}
    assert groups == {frozenset(copies(number)) for number in COPIED}


def test_no_planted_copy_is_torn_from_its_original_over_100_seeds(planted: Desk) -> None:
    data = read_dataset(planted.folder / "images", None, Config())
    group_of = dict(zip(data.names, data.groups.tolist(), strict=True))
    assert all(len({group_of[name] for name in copies(number)}) == 1 for number in COPIED)
    for seed in range(100):
        config = SplitConfig(seed=seed)
        split = grouped_split(data.targets, data.groups, config)
        folds = fold_splits(data.targets, data.groups, config, 5)
        for each in (split, *folds):
            set_of = {data.names[row]: name for name, rows in each.parts().items() for row in rows}
            assert all(len({set_of[name] for name in copies(number)}) == 1 for number in COPIED)
            assert straddling(data.groups, *each.parts().values()) == 0
