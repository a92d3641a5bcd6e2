"""The tracking store: MLflow's own choice, made ready, and quietly."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from ..errors import TrackingError
from .outage import masked
from .outage import store_errors as store_errors

EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
"""Without them the UI opens a new experiment in its GenAI mode."""

_SQLITE = "sqlite:///"


def open_store(experiment: str) -> str:
    """Make the store ready for an experiment, creating either where needed; return the experiment's id.

    Raises:
        TrackingError: the store or its artifact folder cannot be reached or written, or the
            experiment was deleted.
    """
    be_quiet()
    with store_errors():
        uri = mlflow.get_tracking_uri()
        if uri.startswith(_SQLITE) and ":memory:" not in uri:
            _prepare_sqlite(Path(uri.removeprefix(_SQLITE).partition("?")[0]))
        client = MlflowClient()
        found = client.get_experiment_by_name(experiment) or _create(client, experiment)
        if found.lifecycle_stage != "active":
            raise TrackingError(
                f"The MLflow experiment {experiment!r} was deleted; restore it "
                f"(mlflow experiments restore -x {found.experiment_id}) or choose another --experiment."
            )
        _check_artifacts(found.artifact_location)
    return str(found.experiment_id)


def _create(client: MlflowClient, experiment: str) -> mlflow.entities.Experiment:
    try:
        return client.get_experiment(client.create_experiment(experiment, tags=EXPERIMENT_TAGS))
    except MlflowException:
        if found := client.get_experiment_by_name(experiment):  # another process was first
            return found
        raise


def _prepare_sqlite(path: Path) -> None:
    """Create the database in one piece, and find out at once whether it can be written.

    Several processes that create one MLflow database at once can break it for good, so each makes its own
    and the first to link it to its place wins. MLflow itself would try an unwritable one for a minute.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            fresh = Path(folder) / path.name
            create_database(fresh)
            with suppress(FileExistsError):
                os.link(fresh, path)
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")


def create_database(path: Path) -> None:
    """Let MLflow create its tables in a new file, in a process of its own.

    MLflow makes them when a store is first used. In this process the engine of the temporary file would stay
    open, and other threads would wait for Python's lock.
    """
    code = "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).search_experiments(max_results=1)"
    command = [sys.executable, "-c", code, f"{_SQLITE}{path.resolve()}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        # SQLAlchemy's errors end with the statement and an address.
        named = re.findall(r"^[\w.]+(?:Error|Exception): (.+)", done.stderr, re.MULTILINE)
        last = (named or done.stderr.strip().splitlines() or ["unknown"])[-1]
        raise OSError(f"MLflow cannot create {path.name}: {last}")


def _check_artifacts(location: str) -> None:
    """Find out before the training, not after it, that a local artifact folder cannot be written."""
    path = location.removeprefix("file://")
    if re.match(r"[a-z][a-z0-9+.-]+:", path):  # another scheme; `mlflow-artifacts:/1` has no `//`
        return
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise TrackingError(
            f"The artifact folder {masked(path)} cannot be written: {error.strerror or error}; "
            "run in another folder."
        ) from None


def be_quiet() -> None:
    """Keep MLflow's progress notes off the screen, and its repeats of failed connections short.

    Its warnings stay, but for those of its database layer, which logs a stack trace for every error that it
    raises; `store_errors` reports those. That layer also tries to connect for 100 seconds without a word;
    `patience` tries again instead.
    """
    levels = {"mlflow": logging.WARNING, "alembic": logging.WARNING, "mlflow.store.db": logging.CRITICAL}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, level))
    if is_database(mlflow.get_tracking_uri()):
        from mlflow.store.db import utils

        utils.MAX_RETRY_COUNT = 1


def is_database(uri: str) -> bool:
    """Whether a store is a database on a server, which this process asks itself.

    >>> is_database("postgresql+psycopg2://db/mlflow"), is_database("sqlite:///mlflow.db")
    (True, False)
    """
    return uri.partition("://")[0].partition("+")[0] in ("postgresql", "mysql", "mssql")
