from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from aimonk.data.fingerprint import Picture
from aimonk.data.image_cache import GRANULARITY, Memory, State

STATE = State(size=10, changed=1_000, inode=2**63 - 1, read=1_000 + GRANULARITY + 1, sha256="ab")
SEEN = Picture("JPEG", 30, 40, 2**64 - 1, 0, bytes(range(256)) * 4)
BLIND = Picture.unusable("not an image")


def filled(folder: Path, rows: int = 1) -> Path:
    with Memory(folder) as memory:
        memory.remember("/photos", [(f"/photos/{row}.jpg", STATE, SEEN) for row in range(rows)])
    (path,) = folder.glob("catalog-*.sqlite")
    return path


def known(folder: Path) -> tuple[dict[str, State], Picture | None]:
    with Memory(folder) as memory:
        return memory.files("/photos"), memory.picture("ab")


def test_what_is_remembered_comes_back_as_it_was(tmp_path: Path) -> None:
    other = replace(STATE, sha256="cd")
    name = os.fsdecode(b"/photos/caf\xe9.jpg")
    with Memory(tmp_path) as memory:
        memory.remember("/photos", [(name, STATE, SEEN), ("/photos/b.jpg", other, BLIND)])
        memory.remember("/elsewhere", [("/photos/b.jpg", STATE, SEEN)])
    with Memory(tmp_path) as memory:
        assert memory.files("/photos") == {name: STATE, "/photos/b.jpg": other}
        assert memory.files("/elsewhere") == {"/photos/b.jpg": STATE}
        assert memory.picture("ab") == SEEN
        assert memory.picture("cd") == BLIND
        assert memory.picture("ef") is None


def test_without_a_folder_nothing_is_kept() -> None:
    with Memory(None) as memory:
        memory.remember("/photos", [("/photos/a.jpg", STATE, SEEN)])
        assert memory.picture("ab") is None
        assert memory.files("/photos") == {}


def test_a_state_holds_only_for_a_file_left_alone_when_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1234")
    status = path.stat()
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    state = State.of(status, changed + GRANULARITY + 1, "ab")
    assert state.still_holds(str(path))
    assert not replace(state, read=changed + GRANULARITY).still_holds(str(path))
    assert not replace(state, size=5).still_holds(str(path))
    assert not replace(state, inode=state.inode + 1).still_holds(str(path))
    assert not replace(state, changed=changed - 1).still_holds(str(path))
    path.unlink()
    assert not state.still_holds(str(path))


def test_a_row_with_a_flipped_bit_is_not_believed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE pictures SET width = 31")
    connection.execute("UPDATE files SET sha256 = 'ac'")
    connection.commit()
    connection.close()
    assert known(tmp_path) == ({}, None)
    filled(tmp_path)
    assert known(tmp_path) == ({"/photos/0.jpg": STATE}, SEEN)


@pytest.mark.parametrize("damage", ["text", "cut", "zeros", "other tables"])
def test_a_damaged_file_is_built_anew(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = filled(tmp_path, rows=500)
    content = path.read_bytes()
    if damage == "text":
        path.write_bytes(b"this is no database, whatever its name says" * 100)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "zeros":
        path.write_bytes(content[:4096] + bytes(len(content) - 4096))
    else:
        path.unlink()
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE files (something TEXT)")
        connection.execute("CREATE TABLE pictures (something TEXT)")
        connection.close()
    with caplog.at_level(logging.WARNING), Memory(tmp_path) as memory:
        files = memory.files("/photos")
        assert all(state == STATE for state in files.values())
        assert memory.picture("ab") in (None, SEEN)
        memory.remember("/photos", [("/photos/0.jpg", STATE, SEEN)])
    assert "is damaged" in caplog.text
    assert known(tmp_path)[0]["/photos/0.jpg"] == STATE
    assert known(tmp_path)[1] == SEEN


def test_a_locked_file_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path)
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: connect(*args, **(options | {"timeout": 0.01}))
    )
    blocker = connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with caplog.at_level(logging.WARNING), Memory(tmp_path) as memory:
        assert memory.files("/photos") == {}
        memory.remember("/photos", [("/photos/1.jpg", STATE, SEEN)])
        assert memory.picture("ab") is None
    assert "No image catalog can be kept in" in caplog.text
    blocker.execute("ROLLBACK")
    blocker.close()
    assert known(tmp_path) == ({"/photos/0.jpg": STATE}, SEEN)


def test_a_folder_that_cannot_be_made_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING), Memory(tmp_path / "file" / "cache") as memory:
        memory.remember("/photos", [("/photos/a.jpg", STATE, SEEN)])
        assert memory.picture("ab") is None
    assert "No image catalog can be kept in" in caplog.text
