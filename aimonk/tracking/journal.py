"""Points of a run's curves on disk, so that a kill loses none and a resumed run repeats none."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mlflow.entities import Metric


class Journal:
    """A file with a line per point: key, value, milliseconds since 1970, step.

    Points keep their time stamps. MLflow stores a point of equal key, step, time stamp and value once, so one
    of the journal may be sent again when nobody knows whether it has arrived.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.points, length = _read(path)
        """Those that were there at the start."""
        self._file = path.open("ab")
        self._file.truncate(length)  # the last line may be cut off

    def add(self, points: Iterable[Metric]) -> None:
        """Append points; they are safe from a kill when this returns, though not from a power cut.

        Raises:
            OSError: the disk is full.
        """
        lines = [json.dumps([point.key, point.value, point.timestamp, point.step]) for point in points]
        self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(path: Path) -> tuple[list[Metric], int]:
    """Return the points of all whole lines, and the length of these in bytes."""
    if not path.exists():
        return [], 0
    whole = path.read_bytes()
    whole = whole[: whole.rfind(b"\n") + 1]
    return [Metric(*json.loads(line)) for line in whole.splitlines()], len(whole)
