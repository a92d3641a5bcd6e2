"""The journal of answers: a file of JSON lines beside the labels that only ever grows.

An answer is on the disk before it is confirmed. A process that is killed while it writes leaves a line
without an end; that answer was not confirmed, so the page sends it again. The next writer ends the torn line
first, and readers skip it. Several processes may write to one journal: each holds a lock while it reads what
is new, decides, and writes.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from filelock import Timeout as LockTimeout

from ..errors import LabelsError

_log = logging.getLogger("aimonk.reviewing")
_PATIENCE = 10.0
"""Seconds to wait for another writer, which holds the lock for milliseconds."""

_APPENDING = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)

Line = dict[str, Any]


def journal_path(labels: Path) -> Path:
    """Return where the answers about a labels file or folder are kept.

    >>> journal_path(Path("photos/labels.csv")).as_posix()
    'photos/labels.csv.review.jsonl'
    """
    return labels.with_name(f"{labels.name}.review.jsonl")


class AnswerJournal:
    """Lines are read once and appended under a lock; `new` returns those that came since the last call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))
        self._threads = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other threads and processes from writing.

        Raises:
            LabelsError: the folder cannot be written to, or another process keeps the lock.
        """
        with self._threads:
            try:
                self._lock.acquire(timeout=_PATIENCE)
            except LockTimeout:
                raise LabelsError(
                    f"Another process is writing {self.path}; close it and answer again."
                ) from None
            except OSError as error:
                raise self._unwritable(error) from None
            try:
                yield
            finally:
                self._lock.release()

    def close(self) -> None:
        """Delete the lock's file, which else stays among the photos, unless another process uses it now.

        A process that waits for the deleted file finds out and makes a new one.
        """
        with self._threads, suppress(LockTimeout, OSError):
            self._lock.acquire(timeout=0)
            try:
                Path(self._lock.lock_file).unlink(missing_ok=True)
            finally:
                self._lock.release()

    def new(self) -> list[Line]:
        """Return the whole lines since the last call, in the order of the file.

        Raises:
            LabelsError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LabelsError(
                f"Cannot read {self.path} ({error.strerror or error}); make it readable."
            ) from None
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = [self._parsed(line) for line in whole.splitlines() if line.strip()]
        return [line for line in lines if line is not None]

    def append(self, line: Line) -> None:
        """Write one line and wait until it is on the disk; hold `locked` meanwhile.

        Raises:
            LabelsError: the disk is full, or the file cannot be written.
        """
        data = json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        fresh = not self.path.exists()
        try:
            handle = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644
            )
            try:
                _write_whole(handle, _end_of_torn_line(handle) + data)
                os.fsync(handle)
            finally:
                os.close(handle)
            if fresh:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise self._unwritable(error) from None

    def _parsed(self, line: bytes) -> Line | None:
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        _log.warning("%s has a torn line, which is skipped: %.60r", self.path, line)
        return None

    def _unwritable(self, error: OSError) -> LabelsError:
        return LabelsError(
            f"Cannot write the answers to {self.path} ({error.strerror or error}); make its folder writable "
            "or free some space."
        )


def _end_of_torn_line(handle: int) -> bytes:
    """Return a line end if the last line has none."""
    size = os.lseek(handle, 0, os.SEEK_END)
    if size == 0:
        return b""
    os.lseek(handle, size - 1, os.SEEK_SET)
    return b"" if os.read(handle, 1) == b"\n" else b"\n"


def _write_whole(handle: int, data: bytes) -> None:
    """Write all bytes, however many the system takes at a time."""
    while data:
        data = data[os.write(handle, data) :]


def _sync_folder(folder: Path) -> None:
    """Make a new file outlive a power cut, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
