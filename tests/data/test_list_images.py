from __future__ import annotations

from pathlib import Path

import pytest

from aimonk.data.list_images import image_names
from aimonk.errors import ImagesError


def test_images_are_found_by_their_suffix_in_all_folders_below(tmp_path: Path) -> None:
    for name in ("c.jpg", "b/x.PNG", "b/c/y.webp", "bare", "labels.txt", "a.csv", ".hidden.png", "z.jpeg",
                 "phone.HEIC", "scan.dcm", "drawing.eps"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert image_names(tmp_path) == [
        "b/c/y.webp",
        "b/x.PNG",
        "bare",
        "c.jpg",
        "phone.HEIC",
        "scan.dcm",
        "z.jpeg",
    ]


def test_no_folder_and_no_image_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="neither a folder nor a file"):
        image_names(tmp_path / "absent")
    (tmp_path / "labels.csv").touch()
    with pytest.raises(ImagesError, match="no image file below"):
        image_names(tmp_path)
