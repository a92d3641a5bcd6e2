from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from aimonk.atomic_files import recall, remember, replaced_file, replaced_folder, tidy, write_whole
from aimonk.errors import FeatureStoreError


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.bin"
    write_whole(path, b"old")
    write_whole(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert os.listdir(path.parent) == ["a.bin"]


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "a.bin"
    write_whole(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(FeatureStoreError, match=f"The disk is full at {tmp_path}; free some space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FeatureStoreError, match=r"Cannot write .*file/a\.bin .*make it writable"):
        write_whole(tmp_path / "file" / "a.bin", b"")


def test_the_first_facts_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    assert recall(path) is None
    assert remember(path, {"engine": "openvino"}) == {"engine": "openvino"}
    assert remember(path, {"engine": "keras"}) == {"engine": "openvino"}
    assert remember(path, {"engine": "keras"}, replace=True) == {"engine": "keras"}


@pytest.mark.parametrize("damage", ['{"engine": "open', "\xff", "[1]", ""])
def test_damaged_facts_count_as_none(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(damage.encode("latin-1"))
    assert recall(path) is None
    assert remember(path, {"engine": "keras"}) == {"engine": "keras"}


def test_what_was_left_unfinished_is_deleted_after_an_hour(tmp_path: Path) -> None:
    for name in (".old-1.tmp", ".new-2.tmp", "part.parquet"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".folder-3.tmp").mkdir()
    (tmp_path / ".folder-3.tmp" / "backbone.bin").write_bytes(b"")
    for name in (".old-1.tmp", ".folder-3.tmp", "part.parquet"):
        os.utime(tmp_path / name, (time.time() - 4000,) * 2)
    tidy(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".new-2.tmp", "part.parquet"]


def test_a_folder_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    with replaced_folder(folder) as fresh:
        (fresh / "a").write_text("old")
    with replaced_folder(folder) as fresh:
        (fresh / "b").write_text("new")
    assert os.listdir(folder) == ["b"]
    with pytest.raises(KeyError), replaced_folder(folder) as fresh:
        (fresh / "c").write_text("half")
        raise KeyError
    assert os.listdir(folder) == ["b"]
    assert os.listdir(tmp_path) == ["package"]


def test_an_interrupted_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replaced_file(path) as beside:
        beside.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]
