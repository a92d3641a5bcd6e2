"""Which cells are missing, under which name the labels call an image, and what stands in dispute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from aimonk.config import Config, DataConfig
from aimonk.data.dataset import read_dataset
from aimonk.data.labels.filled_cells import FilledCell, companion, filled_csv
from aimonk.data.open_cells import OpenCells

CONFIG = Config(data=DataConfig(near_duplicates=-1, max_unusable=1.0))


def cells(
    tmp_path: Path, photo: Callable[[int], Image.Image], text: str, fill: FilledCell | None = None
) -> OpenCells:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        photo(number).save(folder / name)
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    if fill:
        companion(labels).write_bytes(filled_csv([fill]))
    data = read_dataset(folder, labels, CONFIG, keep_unlearnable=True)
    return OpenCells.of(data, CONFIG.labels)


def test_rows_that_contradict_each_other_are_not_missing(
    tmp_path: Path, photo: Callable[[int], Image.Image]
) -> None:
    found = cells(tmp_path, photo, "image,red,blue\na.png,1,NA\na.png,0,NA\nb.png,NA,1\nc.png,0,0\n")
    assert found.of_attributes(("red", "blue")).tolist() == [[False, True], [True, False], [False, False]]
    assert found.of_attributes(("huge",)).tolist() == [[False]] * 3


def test_an_image_is_called_as_the_labels_call_it(
    tmp_path: Path, photo: Callable[[int], Image.Image]
) -> None:
    """`A.PNG` and `a.png` are one file; one of them has a label."""
    found = cells(tmp_path, photo, "image,red,blue\nA.PNG,1,NA\na.png,NA,NA\nb.png,0,1\n")
    assert found.names == (("A.PNG", "a.png"), ("b.png",))
    assert found.missing.tolist() == [[False, True], [False, False]]


def test_a_filled_cell_is_missing(tmp_path: Path, photo: Callable[[int], Image.Image]) -> None:
    fill = FilledCell("a.png", "blue", 1, 0.99, 0.9, "models:/m/1", "model")
    found = cells(tmp_path, photo, "image,red,blue\na.png,1,1\nb.png,0,1\nc.png,0,0\n", fill)
    assert found.missing.tolist() == [[False, True], [False, False], [False, False]]
    assert found.filled_before == {("a.png", "blue")}
