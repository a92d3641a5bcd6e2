"""A small data set: eight photos, two attributes, and scores that doubt some labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aimonk.config import Config
from aimonk.data.dataset import Dataset, read_dataset

from ..serving.conftest import package  # noqa: F401
from ..tracking.conftest import empty_store, store  # noqa: F401

LABELS = (
    "image,belt,collar\n"
    "a.png,1,0\nb.png,0,1\nc.png,1,NA\nd.png,0,0\ne.png,1,1\nf.png,0,NA\ng.png,1,0\nh.png,0,1\n"
)
PROBABILITIES = np.array(
    [
        [0.1, 0.2],  # a: belt is doubted most
        [0.2, 0.9],
        [0.9, 0.97],  # c: collar can be filled
        [0.8, 0.1],  # d: belt is doubted
        [0.9, 0.9],
        [0.1, 0.55],  # f: collar is uncertain
        [0.8, 0.1],
        [0.3, 0.4],  # h: collar is doubted
    ]
)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "photos"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name in "abcdefgh":
        blocks = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((400, 300), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    (tmp_path / "labels.csv").write_text(LABELS)
    return read_dataset(folder, tmp_path / "labels.csv", Config(), keep_unlearnable=True)


@pytest.fixture
def probabilities() -> np.ndarray:
    return PROBABILITIES.copy()
