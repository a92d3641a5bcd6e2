"""Label files as people have them, and folders laid out under the names they use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from aimonk.config import LabelsConfig
from aimonk.data.labels import LabelTable, read_labels


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


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., LabelTable]:
    """Read a labels file of this content, with settings by name."""

    def of(content: str, name: str = "labels.csv", **settings: Any) -> LabelTable:
        (tmp_path / name).write_text(content, encoding="utf-8")
        return read_labels(tmp_path / name, LabelsConfig(**settings))

    return of


@pytest.fixture
def labels() -> Callable[[LabelTable], dict[str, list[int]]]:
    """Labels of each attribute, in the order of the images."""

    def of(table: LabelTable) -> dict[str, list[int]]:
        return {name: table.targets[:, at].astype(int).tolist() for at, name in enumerate(table.attributes)}

    return of
