"""Files that are there whole or not at all, whatever is killed, full or written at the same time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import FeatureStoreError

_TEMPORARY = ".tmp"
_ABANDONED_AFTER = 3600.0
"""Seconds after which something unfinished belongs to a process that is gone."""


def temporary_beside(path: Path) -> Path:
    """Return a name in the same folder, hence on the same disk, that nobody else writes to."""
    return path.with_name(f".{path.name[:40]}-{uuid.uuid4().hex}{_TEMPORARY}")


@contextlib.contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; the file takes its place at the end, even after a power cut.

    If anything fails, the file that was there stays and nothing else is left.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    temporary = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder` to fill; it takes its place at the end.

    An older folder of that name is replaced. If anything fails, it stays and nothing else is left.

    Raises:
        OSError: the disk is full, or the parent cannot be written to.
    """
    fresh, old = temporary_beside(folder), temporary_beside(folder)
    try:
        fresh.mkdir(parents=True)
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def remove_whole(folder: Path) -> None:
    """Delete a folder, of which no other process ever sees a part. What cannot be deleted stays."""
    aside = temporary_beside(folder)
    with contextlib.suppress(OSError):
        os.rename(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that it has all of its bytes or does not exist.

    Raises:
        FeatureStoreError: the disk is full, or the folder cannot be written to.
    """
    try:
        with replaced_file(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise unwritable(path, error) from error


def tidy(folder: Path) -> None:
    """Delete files and folders that killed processes left unfinished."""
    for path in folder.glob(f".*{_TEMPORARY}"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _sync(path: Path) -> None:
    """Wait until the file's bytes are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename in this folder outlive a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def unwritable(path: Path, error: OSError) -> FeatureStoreError:
    """Return the sentence for a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space, or name another folder with features.store or AIMONK_STORE"
        return FeatureStoreError(f"The disk is full at {path.parent}; {remedy}.")
    remedy = "make it writable, or name another folder with features.store or AIMONK_STORE"
    return FeatureStoreError(f"Cannot write {path} ({error.strerror or error}); {remedy}.")


def recall(path: Path) -> dict[str, Any] | None:
    """Read the facts in a JSON file; None when there are none, or when the file is damaged."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def remember(path: Path, facts: dict[str, Any], *, replace: bool = False) -> dict[str, Any]:
    """Keep facts as JSON and return those kept: of several processes the first one's, unless `replace`.

    Raises:
        FeatureStoreError: the file cannot be written.

    """
    if replace or recall(path) is None:
        write_whole(path, json.dumps(facts, indent=1).encode())
    return recall(path) or facts
