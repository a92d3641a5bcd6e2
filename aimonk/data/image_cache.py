"""What files were when last read, in an SQLite file that any number of processes may share.

It is a cache: damaged, locked or on a full disk it is done without, and never answers wrongly.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import threading
import zlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ..runtime.decode_limits import TRAINING, DecodeLimits
from ..runtime.decoder import PREPROCESSING
from ..runtime.image_formats import installed_decoders
from .fingerprint import Picture

log = logging.getLogger(__name__)

GRANULARITY = 2_000_000_000
"""Nanoseconds within which a file system may give two writes one time: FAT's 2 s is the coarsest."""

_LOOK = 3
"""Raise it whenever rare formats come out as other pictures while `PREPROCESSING` stays, or tables change."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    root BLOB, path BLOB, size INTEGER, changed INTEGER, inode INTEGER, read INTEGER,
    sha256 TEXT, checksum INTEGER, PRIMARY KEY (root, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (
    sha256 TEXT PRIMARY KEY, format TEXT, width INTEGER, height INTEGER, phash TEXT, phash_flipped TEXT,
    thumbnail BLOB, border BLOB, camera TEXT, quantization REAL, problem TEXT, checksum INTEGER
) WITHOUT ROWID;
"""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""Primary result codes, the low byte of SQLite's; the last one says that tables or columns are not ours."""

_FILES = "SELECT path, size, changed, inode, read, sha256, checksum FROM files WHERE root = ?"
_PICTURE = "SELECT * FROM pictures WHERE sha256 = ?"
_PUT_FILE = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_PICTURE = f"INSERT OR REPLACE INTO pictures VALUES ({', '.join('?' * 12)})"


@dataclass(frozen=True, slots=True)
class State:
    """What a file was when it was read: its bytes' digest, and what shows that they are still the same."""

    size: int
    changed: int
    """The later of modification and inode change, nanoseconds."""
    inode: int
    read: int
    """When reading began, nanoseconds."""
    sha256: str

    @classmethod
    def of(cls, status: os.stat_result, read: int, sha256: str) -> State:
        """Return the state of an open file of which `status` was asked after `read` and before reading."""
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        return cls(status.st_size, changed, status.st_ino % 2**63, read, sha256)

    def still_holds(self, path: str) -> bool:
        """Whether the file surely has the bytes it had.

        As git does for its index ("racy git"): a file changed at about the time it was read may have been
        written again, to the same size, at what the file system calls the same time; so only a file that
        had been left alone for `GRANULARITY` when it was read is known by its size and times. The inode's
        change time is among them because a program can set the modification time back.
        """
        if self.changed + GRANULARITY >= self.read:
            return False
        try:
            status = os.stat(path)
        except OSError:
            return False
        now = State.of(status, self.read, self.sha256)
        return stat.S_ISREG(status.st_mode) and now == self


class Memory:
    """The states and pictures known so far; without a folder it knows and keeps nothing.

    Every row carries its checksum, since SQLite does not notice a damaged value. `picture` may be called
    from any thread, everything else from one at a time.
    """

    def __init__(self, folder: Path | None, limits: DecodeLimits = TRAINING) -> None:
        self._path = folder and folder / f"catalog-{_decoding(limits)}.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Memory:
        """Open the file, anew if it is damaged."""
        if self._path is not None:
            try:
                self._open(self._path)
            except (sqlite3.Error, OSError) as error:
                self._recover(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._close()

    def files(self, root: str) -> dict[str, State]:
        """Return the states of the files in the folder `root`, by path."""
        return {os.fsdecode(path): State(*state) for path, *state in self._rows(_FILES, os.fsencode(root))}

    def picture(self, sha256: str) -> Picture | None:
        """Return what the bytes of that digest show, if it is known."""
        with self._lock:
            rows = self._rows(_PICTURE, sha256)
        return _as_picture(rows[0]) if rows else None

    def remember(self, root: str, found: Iterable[tuple[str, State, Picture]]) -> None:
        """Write down what files in the folder `root` are, all or nothing."""
        folder = os.fsencode(root)
        files, pictures = [], {}
        for path, state, picture in found:
            row = (os.fsencode(path), *astuple(state))
            files.append((folder, *row, _checksum(row)))
            pictures[state.sha256] = picture
        with self._lock:
            if self._connection is None:
                return
            try:
                with self._connection:
                    self._connection.executemany(_PUT_FILE, files)
                    self._connection.executemany(_PUT_PICTURE, map(_as_row, pictures, pictures.values()))
            except sqlite3.Error as error:
                self._recover(error)

    def _rows(self, query: str, value: str | bytes) -> list[tuple[Any, ...]]:
        """Return the query's rows whose checksum, their last column, is right; without it."""
        if self._connection is None:
            return []
        try:
            rows = self._connection.execute(query, (value,)).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            self._recover(error)
            return []
        return [row[:-1] for row in rows if _checksum(row[:-1]) == row[-1]]

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._connection.executescript(_SCHEMA)

    def _recover(self, error: Exception) -> None:
        """Begin a new file if this one is damaged, or do without one if it cannot be used now."""
        self._close()
        try:
            if self._path is None or not _tells_of_damage(error):
                raise error
            log.warning("The image catalog %s is damaged (%s), so it is built again", self._path, error)
            self._path.unlink()
            self._open(self._path)
        except (sqlite3.Error, OSError) as final:
            why = getattr(final, "strerror", None) or final
            folder = self._path.parent if self._path else None
            log.warning("No image catalog can be kept in %s (%s): every image is read again", folder, why)
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _decoding(limits: DecodeLimits) -> str:
    """Return what decides what is seen in the same bytes: each combination has a file of its own.

    Otherwise a file refused once would stay refused after a decoder is installed or a limit is raised.
    """
    numbers = replace(limits, formats=None)
    digest = zlib.crc32(repr((numbers, sorted(limits.formats or ()))).encode())
    return f"{PREPROCESSING}-{_LOOK}-{installed_decoders()}-{digest:08x}"


def _tells_of_damage(error: Exception) -> bool:
    """Whether a new file would help; not if this one is locked, may not be written, or the disk is full."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, UnicodeError)
    return code == sqlite3.SQLITE_IOERR_SHORT_READ or code % 256 in _DAMAGE


def _as_row(sha256: str, picture: Picture) -> tuple[object, ...]:
    # As text, since SQLite's integers have a sign bit that the hashes need.
    hashes = [None if number is None else str(number) for number in (picture.phash, picture.phash_flipped)]
    size = (picture.width, picture.height)
    origin = (picture.border, picture.camera, picture.quantization)
    row = (sha256, picture.format, *size, *hashes, picture.thumbnail, *origin, picture.problem)
    return (*row, _checksum(row))


def _as_picture(row: tuple[Any, ...]) -> Picture:
    _, kind, width, height, upright, flipped, *rest = row
    phash, phash_flipped = (None if text is None else int(text) for text in (upright, flipped))
    return Picture(kind, width, height, phash, phash_flipped, *rest)


def _checksum(row: tuple[object, ...]) -> int:
    return zlib.crc32(repr(row).encode())
