from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from aimonk.data.match_images import match_images
from aimonk.errors import LabelsError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "file", "how"),
    [
        ("sub/a.jpg", "sub/a.jpg", None),
        ("./sub//a.jpg", "sub/a.jpg", "a needless ./"),
        ("sub\\a.jpg", "sub/a.jpg", "slashes"),
        ("SUB/a.JPG", "sub/a.jpg", "case and case of folders"),
        ("sub/a", "sub/a.jpg", "suffix"),
        ("sub/a.png", "sub/a.jpg", "suffix"),
        ("a.jpg", "sub/a.jpg", "leading folders"),
        ("data-v1/train/sub/a.jpg", "sub/a.jpg", "leading folders"),
        ("/home/someone/photos/sub/a.jpg", "sub/a.jpg", "leading folders"),
        ("C:\\photos\\sub\\a.jpg", "sub/a.jpg", "slashes and leading folders"),
        ("https://host/photos/sub/a.jpg?width=3", "sub/a.jpg", "a URL"),
        ("s3://bucket/sub/a.jpg", "sub/a.jpg", "a URL"),
        ("/data/local-files/?d=photos/sub/a.jpg", "sub/a.jpg", "a URL"),
        ("/data/upload/1/0a1b2c3d-a.jpg", "sub/a.jpg", "a prefix and leading folders"),
        ("sub/a%20b.jpg", "sub/a b.jpg", "a prefix"),
        (unicodedata.normalize("NFD", "sub/é.jpg"), "sub/é.jpg", "Unicode form"),
    ],
)
def test_a_name_is_matched_to_the_one_file_it_can_mean(
    tmp_path: Path, name: str, file: str, how: str | None
) -> None:
    folder = touch(tmp_path, "sub/a.jpg", "sub/a b.jpg", "sub/é.jpg", "other/c.jpg")
    if "0a1b2c3d" in name:
        name = name.replace("/data/upload/1/", "/data/upload/1/sub/")
    matched = match_images(folder, [name])
    assert matched.problems == {}
    assert matched.files == (file,)
    if how is None:
        assert matched.spelled == ()
    elif how not in ("a prefix", "a prefix and leading folders"):
        assert matched.spelled == ((how, 1, name, file),)


def test_an_absolute_path_inside_the_folder(tmp_path: Path) -> None:
    folder = touch(tmp_path / "photos", "sub/a.jpg", "a.jpg")
    assert match_images(folder, [f"{folder}/sub/a.jpg", f"{folder}/a.jpg"]).files == ("sub/a.jpg", "a.jpg")


def test_none_and_several_are_problems_with_their_cause(tmp_path: Path) -> None:
    folder = touch(tmp_path, "x/a.jpg", "y/a.jpg", "b.jpg", "b.png", "img_0001.jpg")
    problems = match_images(folder, ["a.jpg", "b", "img_0002.jpg", "/etc/passwd"]).problems
    assert problems["a.jpg"].startswith("fits 2 files: ") and "x/a.jpg" in problems["a.jpg"]
    assert problems["b"].startswith("fits 2 files")
    assert problems["img_0002.jpg"] == "not there; the nearest is img_0001.jpg"
    assert problems["/etc/passwd"].startswith("outside the folder")


def test_spreadsheets_drop_zeros_before_a_number(tmp_path: Path) -> None:
    folder = touch(tmp_path, "000012.jpg", "000120.jpg", "12_a.jpg", "x/0007.jpg", "y/07.jpg")
    matched = match_images(folder, ["12", "120.0", "7"])
    assert matched.files[:2] == ("000012.jpg", "000120.jpg")
    assert matched.spelled == (("leading zeros", 2, "12", "000012.jpg"),)
    assert matched.problems["7"].startswith("fits 2 files")
    assert "which another row names" in match_images(folder, ["12", "000012.jpg"]).problems["12"]


def test_a_file_is_not_matched_twice_for_want_of_another_suffix(tmp_path: Path) -> None:
    folder = touch(tmp_path, "a.jpg")
    matched = match_images(folder, ["a.jpg", "a.png"])
    assert matched.files == ("a.jpg", "a.png")
    assert "which another row names" in matched.problems["a.png"]


def test_other_folders_are_no_match(tmp_path: Path) -> None:
    folder = touch(tmp_path, "test/a.jpg")
    assert match_images(folder, ["train/a.jpg"]).problems["train/a.jpg"].startswith("not there")


@pytest.mark.parametrize("name", ["../a.jpg", "sub/../../a.jpg", "..\\a.jpg"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = touch(tmp_path / "photos", "a.jpg")
    touch(tmp_path, "a.jpg")
    with pytest.raises(LabelsError, match="lies outside"):
        match_images(folder, [name])
