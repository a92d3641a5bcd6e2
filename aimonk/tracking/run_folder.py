"""What a training keeps on this machine until it has finished: checkpoints, undelivered points, a lock."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from ..errors import TrackingError
from .outage import store_errors

JOURNAL = "metrics.jsonl"
_LOCK, _ENDED = "lock", "ended"
_FORGOTTEN_AFTER = 30 * 24 * 3600.0
"""Seconds after which the folder of a run that nobody resumed is deleted."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a run's folder, named after its id, so that no other process resumes the run meanwhile.

    The system frees the lock of a process that is killed.

    Raises:
        TrackingError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TrackingError(
            f"The run {folder.name} is being trained by another process; wait until that ends, or stop it."
        ) from None
    (folder / _ENDED).unlink(missing_ok=True)
    try:
        yield
    finally:
        lock.release()


def end_abandoned_runs(folders: Path) -> None:
    """Mark runs of killed processes as killed; in MLflow they would be running forever.

    Their folders stay, so that they can be resumed, and are deleted after 30 days.
    """
    for folder in [path for path in folders.glob("*") if path.is_dir() and not (path / _ENDED).exists()]:
        with suppress(TrackingError, OSError), claimed(folder):
            _mark_killed(folder.name)
            (folder / _ENDED).touch()
    for ended in folders.glob(f"*/{_ENDED}"):
        with suppress(OSError):
            if time.time() - ended.stat().st_mtime > _FORGOTTEN_AFTER:
                shutil.rmtree(ended.parent)


def _mark_killed(run_id: str) -> None:
    client = MlflowClient()
    with store_errors():
        try:
            status = client.get_run(run_id).info.status
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":  # it was deleted, or is in another store
                return
            raise
        if status == "RUNNING":
            client.set_terminated(run_id, "KILLED")
