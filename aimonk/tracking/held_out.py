"""The scores of held-out images, kept with the run as a table, so that two models meet on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np

from ..data.labels import MISSING
from ..errors import ModelError
from .run import Run
from .tracking_store import be_quiet, store_errors

TABLE = "predictions.parquet"
_LABEL, _PROBABILITY = "label.", "probability."


@dataclass(frozen=True)
class HeldOut:
    """Images that neither training nor threshold choice saw, and what the model said of them.

    `images` (names), `digests` (hex SHA-256 of the files), `groups` and `folds` (`(N,) int64`; equal groups
    are copies of one photo, fold 0 is a single test set) have N entries; `targets` is `(N, L) float32` with
    `MISSING`, `probabilities` is `(N, L) float64`; columns are `attributes`.
    """

    attributes: tuple[str, ...]
    images: tuple[str, ...]
    digests: tuple[str, ...]
    groups: np.ndarray
    folds: np.ndarray
    targets: np.ndarray
    probabilities: np.ndarray


def log_held_out(run: Run, held_out: HeldOut) -> None:
    """Record as `predictions.parquet`, for people and for `read_held_out`.

    Its columns are `image`, `sha256`, `group`, `fold`, and per attribute `label.NAME` (1, 0, null) and
    `probability.NAME`.
    """
    import pyarrow as pa

    labels = {
        f"{_LABEL}{name}": pa.array(column.astype(np.int8), mask=column == MISSING)
        for name, column in zip(held_out.attributes, held_out.targets.T, strict=True)
    }
    probabilities = {
        f"{_PROBABILITY}{name}": column.astype(np.float64)
        for name, column in zip(held_out.attributes, held_out.probabilities.T, strict=True)
    }
    keys = {
        "image": held_out.images,
        "sha256": held_out.digests,
        "group": held_out.groups,
        "fold": held_out.folds,
    }
    run.table(TABLE, {**keys, **labels, **probabilities})


def read_held_out(run_id: str) -> HeldOut:
    """Read a run's table again.

    Raises:
        ModelError: the run has no such table.
        TrackingError: the store cannot be reached.
    """
    import pyarrow.parquet as pq

    be_quiet()
    with store_errors():
        client = mlflow.MlflowClient()
        if TABLE not in {artifact.path for artifact in client.list_artifacts(run_id)}:
            raise ModelError(f"The run {run_id} keeps no {TABLE} to compare with; train the model anew.")
        path = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=TABLE))
        table = pq.read_table(path)
    names = tuple(name.removeprefix(_LABEL) for name in table.column_names if name.startswith(_LABEL))
    labels = [table[f"{_LABEL}{name}"].fill_null(int(MISSING)).to_numpy() for name in names]
    probabilities = [table[f"{_PROBABILITY}{name}"].to_numpy() for name in names]
    return HeldOut(
        attributes=names,
        images=tuple(table["image"].to_pylist()),
        digests=tuple(table["sha256"].to_pylist()),
        groups=table["group"].to_numpy(),
        folds=table["fold"].to_numpy(),
        targets=np.stack(labels, axis=1).astype(np.float32),
        probabilities=np.stack(probabilities, axis=1),
    )


def matching_rows(first: HeldOut, second: HeldOut) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the images that both hold out, `(M,) int64` into each, by digest, in the order of `first`.

    Equal digests within one table are one photo; each row of `first` meets the earliest such row of `second`.
    """
    position: dict[str, int] = {}
    for row, digest in enumerate(second.digests):
        position.setdefault(digest, row)
    pairs = [(row, position[digest]) for row, digest in enumerate(first.digests) if digest in position]
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]
