from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aimonk.data.file_traits import FileTraits
from aimonk.data.image_index import scan
from aimonk.evaluation.shortcut_audit import audit_shortcuts

N = 60


class Files(SimpleNamespace):
    """As much of a data set as is read."""

    def __len__(self) -> int:
        return N


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Half of them with a crack, each half in a folder of its own; noise, so that files tell nothing."""
    random = np.random.default_rng(0)
    for number in range(N):
        folder = tmp_path / ("crack" if number % 2 else "good")
        folder.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("labels", "named"), [("labels.csv", ["folder"]), ("ImageSets", ["folder"]), (".", [])]
)
def test_folders_that_are_the_labels_are_no_shortcut(photos: Path, labels: str, named: list[str]) -> None:
    (photos / "ImageSets").mkdir()
    names = tuple(path.relative_to(photos).as_posix() for path in sorted(photos.rglob("*.png")))
    present = np.array([[name.startswith("crack")] for name in names])
    dataset: Any = Files(
        folder=photos,
        labels=photos / labels,
        traits=FileTraits.of(scan(photos, names, None)),
        targets=present.astype(np.float32),
        groups=np.arange(N),
        attributes=("crack",),
    )
    evidence: Any = SimpleNamespace(attributes=[SimpleNamespace(auc=SimpleNamespace(value=0.9))])
    assert [found.trait for found in audit_shortcuts(dataset, evidence, 0.05, 0)] == named
