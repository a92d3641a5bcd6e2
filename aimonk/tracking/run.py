"""The one sink: everything that a command records goes to MLflow through a `Run`."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_LOGGED_ARTIFACTS

from ..errors import TrackingError
from .delivery import Delivery
from .journal import Journal
from .outage import store_errors
from .patience import patiently
from .run_folder import JOURNAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")

_LOSS, _VALIDATION = "training_loss", "validation_loss"
_PARAMS = 100  # MLflow's limit per request
_LONG = 1_000_000
"""Characters of JSON that nobody reads; indenting them takes seconds, and triples the file."""


class Run:
    """A run that is being recorded. It is the `Observer` of a training, see `training.history`.

    Losses are queued and delivered by a thread, so training continues while the store is away; a run with a
    folder keeps them there too. All else is written at once, and waits for the store as long as `patience`
    allows.

    A resumed run drops the losses that it has already, for a training that resumes from its last checkpoint
    reports them again.
    """

    def __init__(
        self, run_id: str, experiment_id: str, folder: Path | None = None, *, resumed: bool = False
    ) -> None:
        self.id = run_id
        self.experiment_id = experiment_id
        self.folder = folder
        """For checkpoints; deleted when the run has finished."""
        self.resume_command = ""
        """Set by whoever recorded what is needed to resume the run."""
        self._client = MlflowClient()
        self._journal = Journal(folder / JOURNAL) if folder else None
        self._known: set[tuple[str, int]] = set()
        """Key and step of every loss that is stored, queued or in the journal."""
        self._figures: Mapping[str, float] = {}
        self._delivery = Delivery(lambda points: self._send(metrics=points))
        self._reported = time.time()
        if resumed:
            self._recall()

    def _recall(self) -> None:
        """Read what the store has, and queue what only the journal has."""
        with store_errors():
            histories = [self._client.get_metric_history(self.id, key) for key in (_LOSS, _VALIDATION)]
            self._figures = self._client.get_run(self.id).data.metrics
        self._known = {(point.key, point.step) for history in histories for point in history}
        kept = self._journal.points if self._journal else []
        self._delivery.add([point for point in kept if (point.key, point.step) not in self._known])
        self._known |= {(point.key, point.step) for point in kept}

    def params(self, values: Mapping[str, Any]) -> None:
        """Record settings, each once; MLflow keeps the first 6,000 characters of a value."""
        params = iter([Param(key, str(value)) for key, value in values.items()])
        while batch := list(islice(params, _PARAMS)):
            self._patiently(self._send, params=batch)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags; a later value replaces an earlier one."""
        tags = iter([RunTag(key, str(value)) for key, value in values.items()])
        while batch := list(islice(tags, _PARAMS)):
            self._patiently(self._send, tags=batch)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record numbers; characters that MLflow does not take in a metric's name become `_`.

        Values that are not defined (nan) are left out, as are those that a resumed run has already.
        """
        now = int(time.time() * 1000)
        known = {metric_key(key): float(value) for key, value in values.items() if not np.isnan(value)}
        self._delivery.add(
            [Metric(key, value, now, step) for key, value in known.items() if self._figures.get(key) != value]
        )
        self.flush()

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """Record the loss of each iteration, `first_step + i`, spread over the time since the last one."""
        now = time.time()
        times = np.linspace(self._reported, now, len(losses) + 1)[1:]
        self._report(
            [
                Metric(_LOSS, float(loss), int(when * 1000), step)
                for step, (loss, when) in enumerate(zip(losses, times, strict=True), start=first_step)
            ]
        )
        self._reported = now

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """Record the validation loss at the iteration that ended the epoch."""
        if validation_loss is not None:
            self._report([Metric(_VALIDATION, float(validation_loss), int(time.time() * 1000), step)])

    def _report(self, points: list[Metric]) -> None:
        new = [point for point in points if (point.key, point.step) not in self._known]
        self._known |= {(point.key, point.step) for point in new}
        if self._journal:
            with store_errors():
                self._journal.add(new)
        self._delivery.add(new)

    def flush(self) -> None:
        """Deliver all metrics.

        Raises:
            TrackingError: the store cannot be written.
        """
        self._delivery.flush()

    def close(self) -> None:
        """Stop the delivery of metrics; `flush` before."""
        self._delivery.close()
        if self._journal:
            self._journal.close()

    def file(self, path: str, write: Callable[[Path], object]) -> None:
        """Record an artifact at `path` (`folder/name.suffix`), written by `write` to the path it is given."""
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory(prefix="aimonk-") as beside:
            with store_errors():
                write(Path(beside) / name)
            self._patiently(self._client.log_artifact, self.id, str(Path(beside) / name), folder or None)

    def text(self, path: str, text: str) -> None:
        """Record text, HTML too."""
        self.file(path, lambda file: file.write_text(text, encoding="utf-8"))

    def json(self, path: str, value: Any) -> None:
        """Record an object as JSON, indented unless it is long; numbers that are not finite become null."""
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_listed)
        except ValueError:  # a number that is not finite
            value = _plain(value)
            text = json.dumps(value, ensure_ascii=False)
        if len(text) < _LONG:
            text = json.dumps(value, indent=2, ensure_ascii=False, default=_listed)
        self.text(path, text + "\n")

    def figure(self, path: str, figure: Figure, dpi: int = 144) -> None:
        """Record a picture; the suffix of `path` says which kind."""
        self.file(path, lambda file: figure.savefig(file, dpi=dpi))

    def table(self, path: str, columns: Mapping[str, Any]) -> None:
        """Record columns of equal length, as Parquet, or as JSON that MLflow's UI shows as a table.

        A 2-D array is a column of lists.
        """
        if not path.endswith(".parquet"):
            # MLflow's own `log_table` appends to the table of an earlier attempt.
            self.json(path, {"columns": list(columns), "data": list(zip(*columns.values(), strict=True))})
            self._list_table(path)
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        cells = {name: list(values) if np.ndim(values) == 2 else values for name, values in columns.items()}
        self.file(path, lambda file: pq.write_table(pa.table(cells), file))

    def _list_table(self, path: str) -> None:
        """Tell MLflow's UI that an artifact is a table."""
        tags = self._patiently(self._client.get_run, self.id).data.tags
        tables = json.loads(tags.get(MLFLOW_LOGGED_ARTIFACTS, "[]"))
        if (table := {"path": path, "type": "table"}) not in tables:
            self.tags({MLFLOW_LOGGED_ARTIFACTS: json.dumps([*tables, table])})

    def dataset(self, dataset: Dataset, context: str) -> None:
        """Record what the run read, e.g. in the context `training`; see `dataset_input.describe`."""
        inputs = [DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, context)])]
        try:
            self._patiently(self._client.log_inputs, self.id, inputs)
        except TrackingError as error:
            # Two runs on the same new data at once: MLflow adds the data set twice, and one loses the race.
            if not re.search("unique", str(error), re.IGNORECASE):
                raise
            self._patiently(self._client.log_inputs, self.id, inputs)

    def _send(self, **batch: Any) -> None:
        with store_errors():
            self._client.log_batch(self.id, **batch)

    @staticmethod
    def _patiently(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        def attempt() -> T:
            with store_errors():
                return work(*arguments, **named)

        return patiently(attempt)


def metric_key(name: str) -> str:
    """A name MLflow takes for a metric: letters, digits and ` _-.:`, in groups divided by `/`."""
    groups = re.sub(r"[^\w\-. :/]", "_", name).split("/")
    return "/".join("_" if group in ("", ".", "..") else group for group in groups)[:250]


def _listed(value: Any) -> Any:
    """What JSON takes instead of a NumPy array or number."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _plain(value: Any) -> Any:
    """The same value for JSON: arrays as lists, numbers that are not finite as null."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
