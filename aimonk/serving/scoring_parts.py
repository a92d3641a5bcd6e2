"""Scores on their way into a table: parts beside the output, so that a killed scoring can be resumed.

The folder `.NAME.parts` lies beside the output and holds `plan.json`, which says what is being scored, and
parts of 512 rows in order. A part's name carries its SHA-256, so a part that was cut short by a kill, or
damaged since, is recognized and scored again. The folder is removed when the table is in its place.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AimonkError
from .remote_files import local_path

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_PART = 512
_PLAN = "plan.json"
_log = logging.getLogger(__name__)


class ScoringParts:
    """The parts of one table.

    Args:
        fs: file system of the output.
        out: path of the output in it.
        plan: what is scored by which model; parts of another plan are of no use, and are removed.
    """

    def __init__(self, fs: Any, out: str, plan: dict[str, object]) -> None:
        parent, _, name = out.rstrip("/").rpartition("/")
        self._fs, self._plan = fs, plan
        self.folder = f"{parent}/.{name}.parts"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder against other processes; the system ends the claim of a killed one.

        In a bucket there are no locks, so two scorings into one output must not run at once there.

        Raises:
            AimonkError: another process is writing this output.
        """
        self._fs.makedirs(self.folder, exist_ok=True)
        here = local_path(self._fs, self.folder)
        with _locked(here / "lock") if here else contextlib.nullcontext():
            yield

    def resume(self) -> int:
        """Keep the sound parts from the first on, remove all else, and return how many rows they hold."""
        try:
            kept = json.loads(self._fs.cat_file(f"{self.folder}/{_PLAN}"))
        except (OSError, ValueError):
            kept = None
        parts = self._listed()
        if kept != self._plan:
            if parts:
                _log.warning("%s holds parts of another scoring; they are removed", self.folder)
            return self.start()
        sound = 0
        for number, part in enumerate(parts):
            if not part.startswith(f"{number:06d}-") or self._read(part) is None:
                break
            sound += 1
        self._remove(parts[sound:])
        return sum(table.num_rows for table in self.tables())

    def start(self) -> int:
        """Remove all parts, say what is scored from now on, and return 0: how many rows are left."""
        self._remove(self._listed())
        self._fs.pipe_file(f"{self.folder}/{_PLAN}", json.dumps(self._plan).encode())
        return 0

    def add(self, number: int, table: pa.Table) -> None:
        """Write a part."""
        import pyarrow.parquet as pq

        data = io.BytesIO()
        pq.write_table(table, data)
        content = data.getvalue()
        digest = hashlib.sha256(content).hexdigest()[:32]
        self._fs.pipe_file(f"{self.folder}/{number:06d}-{digest}.parquet", content)

    def tables(self) -> Iterator[pa.Table]:
        """All parts, in order.

        Raises:
            AimonkError: a part was damaged or removed by another program meanwhile.
        """
        for part in self._listed():
            table = self._read(part)
            if table is None:
                raise AimonkError(f"{self.folder}/{part} was changed while it was needed; score again.")
            yield table

    def remove(self) -> None:
        """Remove the folder."""
        self._fs.rm(self.folder, recursive=True)

    def _listed(self) -> list[str]:
        self._fs.invalidate_cache(self.folder)
        names = (path.rpartition("/")[2] for path in self._fs.ls(self.folder, detail=False))
        return sorted(name for name in names if name.endswith(".parquet"))

    def _remove(self, parts: list[str]) -> None:
        for part in parts:
            self._fs.rm_file(f"{self.folder}/{part}")

    def _read(self, part: str) -> pa.Table | None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = self._fs.cat_file(f"{self.folder}/{part}")
        if hashlib.sha256(content).hexdigest()[:32] != part[7:].removesuffix(".parquet"):
            return None
        # Not `read_table`: its threads may hold a Python object when the interpreter ends, and abort it.
        return pq.ParquetFile(pa.BufferReader(content)).read()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            out = path.parent.name.removeprefix(".").removesuffix(".parts")
            raise AimonkError(
                f"Another process is writing {out} in {path.parent.parent}; wait for it, or name another "
                "output."
            ) from None
        yield
