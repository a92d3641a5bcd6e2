"""A run's `predictions.parquet`: the scores of held-out images, on which two models can be compared."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import logit

from ..data.labels import MISSING
from ..errors import ModelError
from ..evaluation.held_out import HeldOutScores
from .outage import store_errors
from .patience import patient
from .run import Run
from .tracking_store import be_quiet

TABLE = "predictions.parquet"
ROWS = 20_000
"""Rows written at once."""
_LABEL, _PROBABILITY, _THRESHOLD, _LOGIT = "label.", "probability.", "threshold.", "logit."


def log_predictions(run: Run, scores: HeldOutScores) -> None:
    """Record the table, for people and for `read_predictions`.

    Its columns are `image`, `sha256`, `group`, `fold`, and per attribute `label.NAME` (1, 0, null),
    `probability.NAME` (calibrated), `threshold.NAME` and `logit.NAME` (raw).
    """
    run.file(TABLE, lambda file: _write(file, scores))


def _write(file: Path, scores: HeldOutScores) -> None:
    """Write the table some rows at a time, so that it is never in memory as a whole."""
    first = _rows(scores, slice(0, ROWS))
    with pq.ParquetWriter(file, first.schema) as writer:
        writer.write_table(first)
        for start in range(ROWS, len(scores), ROWS):
            writer.write_table(_rows(scores, slice(start, start + ROWS)))


def _rows(scores: HeldOutScores, rows: slice) -> pa.Table:
    columns: dict[str, object] = {
        "image": scores.images[rows],
        "sha256": scores.digests[rows],
        "group": scores.groups[rows],
        "fold": scores.folds[rows],
    }
    for name, labels in zip(scores.attributes, scores.targets[rows].T, strict=True):
        columns[f"{_LABEL}{name}"] = pa.array(labels.astype(np.int8), mask=labels == MISSING)
    for prefix, numbers in (
        (_PROBABILITY, scores.probabilities),
        (_THRESHOLD, scores.thresholds),
        (_LOGIT, scores.logits),
    ):
        for name, column in zip(scores.attributes, numbers[rows].T, strict=True):
            columns[f"{prefix}{name}"] = np.ascontiguousarray(column, dtype=np.float64)
    return pa.table(columns)


@patient
def read_predictions(run_id: str) -> HeldOutScores:
    """Read a run's table again.

    Raises:
        ModelError: the run has no such table.
        TrackingError: the store cannot be reached, or has no such run.
    """
    be_quiet()
    with store_errors():
        client = mlflow.MlflowClient()
        if TABLE not in {artifact.path for artifact in client.list_artifacts(run_id)}:
            raise ModelError(f"The run {run_id} keeps no {TABLE}; train the model again.")
        path = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=TABLE))
        table = pq.read_table(path)
    names = tuple(name.removeprefix(_LABEL) for name in table.column_names if name.startswith(_LABEL))
    labels = [table[f"{_LABEL}{name}"].fill_null(int(MISSING)).to_numpy() for name in names]
    probabilities = _matrix(table, _PROBABILITY, names)
    # Tables of aimonk before 0.2 hold probabilities only.
    has_logits = f"{_LOGIT}{names[0]}" in table.column_names
    return HeldOutScores(
        attributes=names,
        images=tuple(table["image"].to_pylist()),
        digests=tuple(table["sha256"].to_pylist()),
        groups=table["group"].to_numpy(),
        folds=table["fold"].to_numpy(),
        targets=np.stack(labels, axis=1).astype(np.float32),
        logits=_matrix(table, _LOGIT, names)
        if has_logits
        else logit(np.clip(probabilities, 1e-12, 1 - 1e-12)),
        probabilities=probabilities,
        thresholds=_matrix(table, _THRESHOLD, names) if has_logits else np.full(probabilities.shape, np.nan),
    )


def _matrix(table: pa.Table, prefix: str, names: tuple[str, ...]) -> np.ndarray:
    """`(N, L) float64`: the columns of one kind."""
    return np.stack([table[f"{prefix}{name}"].to_numpy() for name in names], axis=1)
