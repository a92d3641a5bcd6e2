"""Label files as people have them, and folders laid out under the names they use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from aimonk.data.labels import LabelTable


@pytest.fixture(scope="session")
def cases(shared: Path) -> Path:
    return shared / "cases"


@pytest.fixture
def lay_out(shared: Path, tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Copy photos under the given names, and return their folder."""
    photos = sorted((shared / "data" / "clothing" / "images").iterdir())

    def copy(names: Iterable[str]) -> Path:
        folder = tmp_path / "photos"
        for name, photo in zip(names, photos, strict=False):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, folder / name)
        return folder

    return copy


@pytest.fixture
def counts() -> Callable[[LabelTable], dict[str, tuple[int, int, int]]]:
    """Positives, negatives and unknown labels of each attribute."""

    def of(table: LabelTable) -> dict[str, tuple[int, int, int]]:
        return {
            name: (int((column == 1).sum()), int((column == 0).sum()), int((column == -1).sum()))
            for name, column in zip(table.attributes, table.targets.T, strict=True)
        }

    return of
