from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from aimonk.errors import ImagesError
from aimonk.runtime.decode_limits import DecodeLimits
from aimonk.runtime.image_file import NoSuchImage, read_image_file


def test_bytes_and_status(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"abc")
    content, status = read_image_file(tmp_path / "a.jpg")
    assert (content, status.st_size) == (b"abc", 3)


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    Path(path).write_bytes(b"abc")
    assert read_image_file(path)[0] == b"abc"


def test_pipes_sockets_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket.jpg"))
        with pytest.raises(ImagesError, match="^a folder, not an image$"):
            read_image_file(tmp_path / "folder.jpg")
        for name in ("pipe.jpg", "socket.jpg"):
            with pytest.raises(ImagesError, match="^not a regular file$"):
                read_image_file(tmp_path / name)


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"abc")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    (tmp_path / "dangling.jpg").symlink_to("b.jpg")
    assert read_image_file(tmp_path / "link.jpg")[0] == b"abc"
    with pytest.raises(NoSuchImage, match="missing"):
        read_image_file(tmp_path / "dangling.jpg")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(ImagesError, match=r"cannot be opened \(Permission denied\)"):
        read_image_file(tmp_path / "a.jpg")


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.jpg").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ImagesError, match="1,000,000,000,000 bytes, more than 1,073,741,824"):
        read_image_file(tmp_path / "sparse.jpg")
    with pytest.raises(ImagesError, match="3 bytes, more than 2"):
        (tmp_path / "a.jpg").write_bytes(b"abc")
        read_image_file(tmp_path / "a.jpg", DecodeLimits(max_bytes=2))
