"""The one sink: everything a training has to tell goes to MLflow through a `Run`."""

from __future__ import annotations

import json
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from .. import __version__
from ..errors import TrackingError
from .provenance import environment, git_commit
from .tracking_store import be_quiet, open_store, store_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLUSH_SECONDS = 2.0
"""Losses reach the store about this often while a training runs."""

FLUSH_SHARE = 0.01
"""Writing them takes at most this share of the time: a slow store is written to less often."""

REQUEST = "request.json"
"""Artifact with what a training was asked for, so that it can be resumed."""

SETTINGS = "settings.json"
"""Artifact with the settings of the model that was published; those of a sweep are its winner's."""

_LOSS, _VALIDATION = "training_loss", "validation_loss"
_METRICS, _PARAMS = 1000, 100  # MLflow's limits per request


class Run:
    """A run that is being recorded. It is the `Observer` of a training (`training.records`).

    A run that goes on after an interruption drops the losses it has: a training that starts again from
    its last checkpoint may tell them anew.
    """

    def __init__(self, run_id: str, experiment_id: str, *, resumed: bool = False) -> None:
        self.id = run_id
        self.experiment_id = experiment_id
        self._client = MlflowClient()
        self._logged = {
            key: {point.step for point in self._client.get_metric_history(run_id, key)} if resumed else set()
            for key in (_LOSS, _VALIDATION)
        }
        self._waiting: list[Metric] = []
        self._told = self._flushed = time.time()
        self._pause = FLUSH_SECONDS

    def params(self, values: Mapping[str, Any]) -> None:
        """Record settings, each once; MLflow keeps the first 6,000 characters of a value."""
        params = iter([Param(key, str(value)) for key, value in values.items()])
        with store_errors():
            while batch := list(islice(params, _PARAMS)):
                self._client.log_batch(self.id, params=batch)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags; a later value replaces an earlier one."""
        tags = iter([RunTag(key, str(value)) for key, value in values.items()])
        with store_errors():
            while batch := list(islice(tags, _PARAMS)):
                self._client.log_batch(self.id, tags=batch)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record numbers; characters that MLflow does not take in a metric's name become `_`.

        Values that are not defined (nan) are left out.
        """
        now = int(time.time() * 1000)
        known = {metric_key(key): float(value) for key, value in values.items() if not np.isnan(value)}
        self._waiting.extend(Metric(key, value, now, step) for key, value in known.items())
        self.flush()

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """Record the loss of each iteration, `first_step + i`, spread over the time since the last one."""
        now = time.time()
        times = np.linspace(self._told, now, len(losses) + 1)[1:]
        self._waiting.extend(
            Metric(_LOSS, float(loss), int(when * 1000), step)
            for step, (loss, when) in enumerate(zip(losses, times, strict=True), start=first_step)
            if step not in self._logged[_LOSS]
        )
        self._told = now
        self._flush_if_due(now)

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """Record the validation loss at the iteration that ended the epoch."""
        now = time.time()
        if validation_loss is not None and step not in self._logged[_VALIDATION]:
            self._waiting.append(Metric(_VALIDATION, float(validation_loss), int(now * 1000), step))
        self._flush_if_due(now)

    def flush(self) -> None:
        """Write what waits; what cannot be written waits on.

        Raises:
            TrackingError: the store cannot be written.
        """
        started = time.time()
        with store_errors():
            while self._waiting:
                self._client.log_batch(self.id, metrics=self._waiting[:_METRICS])
                del self._waiting[:_METRICS]
        self._flushed = time.time()
        self._pause = max(FLUSH_SECONDS, (self._flushed - started) / FLUSH_SHARE)

    def file(self, path: str, write: Callable[[Path], object]) -> None:
        """Record an artifact at `path` (`folder/name.suffix`), written by `write` to the path it is given."""
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory(prefix="aimonk-") as beside, store_errors():
            write(Path(beside) / name)
            self._client.log_artifact(self.id, str(Path(beside) / name), folder or None)

    def text(self, path: str, text: str) -> None:
        """Record text, HTML too."""
        self.file(path, lambda file: file.write_text(text, encoding="utf-8"))

    def json(self, path: str, value: Any) -> None:
        """Record an object as JSON; numbers that are not finite become null."""
        self.text(path, json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")

    def figure(self, path: str, figure: Figure, dpi: int = 144) -> None:
        """Record a picture; the suffix of `path` says which kind."""
        self.file(path, lambda file: figure.savefig(file, dpi=dpi))

    def table(self, path: str, columns: Mapping[str, Any]) -> None:
        """Record columns of equal length, as Parquet, or as JSON that MLflow shows as a table.

        A 2-D array is a column of lists.
        """
        if path.endswith(".parquet"):
            import pyarrow as pa
            import pyarrow.parquet as pq

            cells = {
                name: list(values) if np.ndim(values) == 2 else values for name, values in columns.items()
            }
            self.file(path, lambda file: pq.write_table(pa.table(cells), file))
        else:
            with store_errors():
                self._client.log_table(
                    self.id, {name: _plain(list(values)) for name, values in columns.items()}, path
                )

    def dataset(self, dataset: Dataset, context: str) -> None:
        """Record what the run read, e.g. in the context `training`; see `datasets.describe`."""
        with store_errors():
            self._client.log_inputs(
                self.id, [DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, context)])]
            )

    def _flush_if_due(self, now: float) -> None:
        if now - self._flushed >= self._pause:
            self.flush()


@contextmanager
def tracked_run(
    experiment: str,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    *,
    run_id: str | None = None,
    nested: bool = False,
) -> Iterator[Run]:
    """Record what happens inside as one run; `mlflow run` and `run_id` bring their own run to go on with.

    The run ends as FINISHED, as KILLED after Ctrl-C or SIGTERM, else as FAILED, and keeps what was
    logged so far.

    Raises:
        TrackingError: the store cannot be used.
    """
    experiment_id = open_store(experiment)
    own = {"aimonk.version": __version__, **({"mlflow.source.git.commit": c} if (c := git_commit()) else {})}
    with store_errors():
        active = mlflow.start_run(
            run_id=run_id,
            experiment_id=experiment_id,
            run_name=None if run_id else name,
            nested=nested,
            tags=own if run_id else {**own, **(tags or {})},  # a resumed run keeps those it has
        )
    run = Run(active.info.run_id, active.info.experiment_id, resumed=run_id is not None)
    status = "FAILED"
    try:
        with _terminable():
            run.json("environment.json", environment())
            yield run
        status = "FINISHED"
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    finally:
        # after an error, that one is to be told, not what it may have led to
        with nullcontext() if status == "FINISHED" else suppress(TrackingError):
            _finish(run, status)


def read_request(run_id: str) -> dict[str, Any]:
    """Read what a run that has not finished was asked for, as it was recorded under `REQUEST`.

    Raises:
        TrackingError: there is no such run, it keeps no request, or it has finished.
    """
    be_quiet()
    with store_errors():
        if MlflowClient().get_run(run_id).info.status == "FINISHED":
            raise TrackingError(f"The run {run_id} has finished; there is nothing to resume.")
    kept = _read_json(run_id, REQUEST)
    if kept is None:
        raise TrackingError(f"The run {run_id} keeps no {REQUEST}; train it again.")
    return {"recipe": "default", **kept}


def recorded_config(run_id: str) -> dict[str, Any]:
    """Read the settings of a run, by section; empty where the run keeps none.

    Raises:
        TrackingError: there is no such run, or the store cannot be reached.
    """
    be_quiet()
    return _read_json(run_id, SETTINGS) or (_read_json(run_id, REQUEST) or {}).get("config", {})


def _read_json(run_id: str, name: str) -> dict[str, Any] | None:
    with store_errors():
        if name not in {artifact.path for artifact in MlflowClient().list_artifacts(run_id)}:
            return None
        path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name)
    return dict(json.loads(Path(path).read_text(encoding="utf-8")))


def metric_key(name: str) -> str:
    """A name MLflow takes for a metric: letters, digits and ` _-.:`, in groups divided by `/`."""
    groups = re.sub(r"[^\w\-. :/]", "_", name).split("/")
    return "/".join("_" if group in ("", ".", "..") else group for group in groups)[:250]


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that the run does not stay RUNNING."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _finish(run: Run, status: str) -> None:
    try:
        run.flush()
    finally:
        with store_errors():
            mlflow.end_run(status)


def _plain(value: Any) -> Any:
    """The same value for JSON: arrays as lists, numbers that are not finite as null."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
