from __future__ import annotations

import os
from pathlib import Path

import pytest

from aimonk.data.folder_boundary import exact_file, resolve
from aimonk.errors import LabelsError


def test_names_stay_inside_the_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (data / "inner").symlink_to("deep")
    assert resolve(data, "a.jpg") == data / "a.jpg"
    assert resolve(data, "deep/../b.jpg") == data / "b.jpg"
    assert resolve(data, "inner/c.jpg") == data / "inner/c.jpg"
    for name in ("../secret.jpg", "../database/a.jpg", str(data / "a.jpg"), ".", "a/../.."):
        with pytest.raises(LabelsError, match="lies outside"):
            resolve(data, name)
    with pytest.raises(LabelsError, match="is no file name"):
        resolve(data, "a\0b.jpg")


def test_a_link_that_the_user_put_into_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert resolve(tmp_path / "link", "a.jpg") == tmp_path / "real/a.jpg"
    (tmp_path / "elsewhere.jpg").touch()
    (tmp_path / "real" / "here.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    assert exact_file(os.path.realpath(tmp_path / "real"), "here.jpg") == "here.jpg"


@pytest.mark.parametrize("name", ["../a.jpg", "b/../../a.jpg", "..\\a.jpg", ".."])
def test_no_name_climbs_out_with_slashes_of_either_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "a.jpg").touch()
    with pytest.raises(LabelsError, match="lies outside"):
        exact_file(str(tmp_path / "data"), name)


def test_back_slashes_are_tried_as_slashes(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.jpg").touch()
    assert exact_file(str(tmp_path), "b\\a.jpg") == "b/a.jpg"
    assert exact_file(str(tmp_path), "./b//a.jpg") == "b/a.jpg"
    assert exact_file(str(tmp_path), "b/c.jpg") is None
