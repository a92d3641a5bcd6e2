from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from aimonk.errors import AimonkError
from aimonk.scratch import check_room, scratch_folder
from tests.conftest import ROOT

USE = (
    "import tempfile, time; from aimonk.scratch import scratch_folder\n"
    "with scratch_folder(): print(tempfile.mkdtemp(), flush=True); time.sleep(60)\n"
)


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def folders(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.is_dir()]


def test_temporary_files_go_when_the_command_ends(tmp_path: Path) -> None:
    with scratch_folder():
        left = Path(tempfile.mkdtemp())
        assert tmp_path in left.parents
    assert not folders(tmp_path)
    assert tempfile.gettempdir() == str(tmp_path)


def test_what_a_killed_command_left_goes_at_the_next_start(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", USE], stdout=-1, text=True, env=environment)
    assert process.stdout is not None
    used = Path(process.stdout.readline().strip())
    with scratch_folder():
        assert used.is_dir()  # its process is alive
    process.kill()
    process.wait()
    assert used.is_dir()
    with scratch_folder():
        assert not used.exists()


def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    check_room()
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(2**30, 2**30, 5 * 2**20))
    with pytest.raises(AimonkError, match="Only 5 MB are free .*set TMPDIR"):
        check_room()


def test_a_folder_that_cannot_be_written_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/nowhere")
    with scratch_folder(), pytest.raises(AimonkError, match="Temporary files cannot be written"):
        check_room()
