from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from aimonk.data.list_images import image_names, list_images
from aimonk.errors import ImagesError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_images_are_found_by_their_suffix_in_all_folders_below(tmp_path: Path) -> None:
    touch(
        tmp_path,
        *("c.jpg", "b/x.PNG", "b/c/y.webp", "labels.txt", "a.csv", ".hidden.png", "z.jpeg", "README"),
        *("phone.HEIC", "scan.dcm", "drawing.eps"),
    )
    Image.new("RGB", (4, 4)).save(tmp_path / "bare", "PNG")
    names = ["b/c/y.webp", "b/x.PNG", "bare", "c.jpg", "phone.HEIC", "scan.dcm", "z.jpeg"]
    assert image_names(tmp_path) == names


def test_junk_is_no_image_and_is_counted_by_kind(tmp_path: Path) -> None:
    touch(
        tmp_path,
        *("a.jpg", "._a.jpg", "Thumbs.db", ".DS_Store", "LICENSE", "README.md", "clip.mp4", "clip.mpg"),
        *(".ipynb_checkpoints/a-checkpoint.jpg", "@eaDir/a.jpg", "b/__MACOSX/b.jpg"),
    )
    found = list_images(tmp_path)
    assert found.names == ("a.jpg",)
    assert found.skipped == {
        "folders of other programs": 3,
        "hidden or system files": 2,
        "texts and tables": 2,
        "movies": 2,
        "resource forks of macOS": 1,
    }
    assert "movies (2)" in found.sentence()


def test_links_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.jpg")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "data")
    assert image_names(tmp_path / "data") == ["linked/a.jpg"]


def test_no_folder_and_no_image_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="neither a folder nor a file"):
        image_names(tmp_path / "absent")
    (tmp_path / "clip.mov").touch()
    with pytest.raises(ImagesError, match="no image file below .* movies .1."):
        image_names(tmp_path)
