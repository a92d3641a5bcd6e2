"""The tracking store: MLflow's own choice, made ready, and quietly."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from ..errors import TrackingError

_SQLITE = "sqlite:///"


def open_store(experiment: str, *, aside: bool = False) -> str:
    """Make the store ready for an experiment, creating either where needed; return the experiment's id.

    MLflow's import takes 1 s, and a new SQLite store as much again, for its migrations are replayed. Calling
    it early, in a thread, leaves `tracked_run` nothing to wait for.

    Args:
        experiment: its name.
        aside: make a new SQLite store in another process, for a thread beside which this one has work to do.

    Raises:
        TrackingError: the store or its artifact folder cannot be reached or written, or the
            experiment was deleted.
    """
    be_quiet()
    with store_errors():
        uri = mlflow.get_tracking_uri()
        if uri.startswith(_SQLITE) and ":memory:" not in uri:
            _prepare_sqlite(Path(uri.removeprefix(_SQLITE).partition("?")[0]), aside)
        client = MlflowClient()
        found = client.get_experiment_by_name(experiment) or _create(client, experiment)
        if found.lifecycle_stage != "active":
            raise TrackingError(
                f"The MLflow experiment {experiment!r} was deleted; restore it "
                f"(mlflow experiments restore -x {found.experiment_id}) or choose another --experiment."
            )
        _check_artifacts(found.artifact_location)
    return str(found.experiment_id)


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what MLflow and its database raise into one sentence."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrackingError(
            f"The tracking store {mlflow.get_tracking_uri()} cannot be used: {lines[0].rstrip('.')[:300]}; "
            "check MLFLOW_TRACKING_URI."
        ) from error


def _create(client: MlflowClient, experiment: str) -> mlflow.entities.Experiment:
    try:
        return client.get_experiment(client.create_experiment(experiment))
    except MlflowException:
        if found := client.get_experiment_by_name(experiment):  # another process was first
            return found
        raise


def _prepare_sqlite(path: Path, aside: bool) -> None:
    """Create the database in one piece; find out at once whether it can be written.

    Several processes that create one MLflow database at once can break it for good, so each makes its own
    and the first to link it to its place wins. MLflow itself would try an unwritable one for a minute.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            fresh = Path(folder) / path.name
            (_initialise_aside if aside else _initialise)(fresh)
            with suppress(FileExistsError):
                os.link(fresh, path)
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")


def _initialise(path: Path) -> None:
    """Create MLflow's tables in a new file, without the default experiment, whose folder is not known yet."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    engine = create_sqlalchemy_engine(f"{_SQLITE}{path.resolve()}")
    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()


def _initialise_aside(path: Path) -> None:
    """Do the same in a process of its own, for other threads wait for Python's lock; here, if that fails."""
    silent = subprocess.DEVNULL
    command = [sys.executable, "-m", __name__, str(path)]
    if subprocess.run(command, stdin=silent, stdout=silent, stderr=silent).returncode:
        path.unlink(missing_ok=True)
        _initialise(path)


def _check_artifacts(location: str) -> None:
    """A local artifact folder that cannot be written is found before the training, not after it."""
    path = location.removeprefix("file://")
    if "://" in path:
        return
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise TrackingError(
            f"The artifact folder {path} cannot be written: {error.strerror or error}; run in another folder."
        ) from None


def be_quiet() -> None:
    """Keep MLflow's progress notes off the screen; its warnings stay."""
    for name in ("mlflow", "alembic"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


if __name__ == "__main__":  # see `_initialise_aside`
    _initialise(Path(sys.argv[1]))
