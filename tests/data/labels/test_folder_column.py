"""The folder of an image in one column, and the file's name in another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aimonk.data.labels import LabelTable
from aimonk.data.labels.rewrite_labels import rewrite_labels
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]
Labels = Callable[[LabelTable], dict[str, list[int]]]

TRAP = """RootFolder,RelativePath,File,Deer
img,A\\100,IMG_0.JPG,false
img,A\\101,IMG_0.JPG,true
img,,IMG_0.JPG,true
"""


def test_the_columns_of_timelapse_together_name_the_images(read: Read, labels: Labels) -> None:
    table = read(TRAP)
    assert table.images == ("A/100/IMG_0.JPG", "A/101/IMG_0.JPG", "IMG_0.JPG")
    assert labels(table) == {"Deer": [0, 1, 1]}
    assert table.read_as.notes == ("The columns 'RelativePath' and 'File' together name the images.",)
    assert table.read_as.image_column == "File"
    assert [name for name, _ in table.read_as.left_out] == ["RootFolder"]


def test_labels_are_written_back_to_the_columns_they_came_in(read: Read, tmp_path: Path) -> None:
    read(TRAP)
    out = tmp_path / "new.csv"
    assert rewrite_labels(tmp_path / "labels.csv", {("A/101/IMG_0.JPG", "Deer"): 0.0}, out) == "CSV"
    assert out.read_text() == TRAP.replace("101,IMG_0.JPG,true", "101,IMG_0.JPG,false")


def test_a_relative_path_that_names_the_image_stays(read: Read) -> None:
    table = read("RelativePath,File,Deer\nA/a.jpg,a.jpg,1\nA/b.jpg,b.jpg,0\n", ignore=("File",))
    assert table.images == ("A/a.jpg", "A/b.jpg")


def test_other_columns_of_folders_are_asked_for(read: Read) -> None:
    rows = "".join(f"{folder},{at}.jpg,{at ^ (folder == 'A')}\n" for folder in "AB" for at in (0, 1))
    said = "'Folder' holds the folders of the images, write them before the names in the column 'name'; if"
    with pytest.raises(LabelsError, match=said):
        read(f"Folder,name,Deer\n{rows}")
