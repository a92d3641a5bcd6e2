"""Temporary files of a command in one folder, so that what a killed command left is found and deleted."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from .errors import AimonkError

_LOCK = "lock"
_ROOM = 64 * 2**20
"""Bytes that must be free: room for a small model package, twice."""


@contextmanager
def scratch_folder() -> Iterator[None]:
    """Put all temporary files of this process, MLflow's too, into a folder that is deleted at the end.

    Folders of processes that were killed are deleted first. It changes `tempfile.tempdir`, so it is for
    commands and not for a library. Without a usable folder it changes nothing; see `check_room`.
    """
    try:
        folder, held = _open_folder()
    except OSError:
        yield
        return
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
        held.release()


def _open_folder() -> tuple[Path, BaseFileLock]:
    base = Path(tempfile.gettempdir())
    prefix = f"aimonk-{os.getuid() if hasattr(os, 'getuid') else 0}-"
    with FileLock(base / f"{prefix}folders.lock"):
        for abandoned in base.glob(f"{prefix}*/{_LOCK}"):
            _delete_unless_held(abandoned)
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        held = FileLock(folder / _LOCK)
        held.acquire()
    return folder, held


def _delete_unless_held(path: Path) -> None:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return
    shutil.rmtree(path.parent, ignore_errors=True)
    lock.release()


def check_room() -> None:
    """Find out that temporary files can be written before hours of work depend on it.

    Raises:
        AimonkError: the folder of temporary files cannot be written or is full.
    """
    try:
        folder = tempfile.gettempdir()
        with tempfile.TemporaryFile() as file:
            file.write(bytes(4096))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise AimonkError(
            f"Temporary files cannot be written ({error.strerror or error}); set TMPDIR to another folder."
        ) from None
    if free < _ROOM:
        raise AimonkError(
            f"Only {free / 2**20:.0f} MB are free for temporary files in {folder}, and a model package needs "
            f"{_ROOM / 2**20:.0f} MB; free some space, or set TMPDIR to another folder."
        )
