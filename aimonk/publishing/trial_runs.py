"""The trials of a sweep as runs nested in the sweep's own: a handful of requests each, written afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from ..tracking.run import Run
from ..tracking.tracking_store import be_quiet, store_errors
from ..training.history import History

TRIAL, STATE = "aimonk.trial", "aimonk.trial_state"
"""Tags: a trial's number; `complete`, or `pruned` where it was stopped early."""

_CURVE_POINTS = 300
"""Of each curve at most: all trials of a sweep are to be written in seconds."""


def log_trial(
    parent: Run,
    number: int,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    folds: tuple[float, ...],
    history: History,
    pruned: bool,
    started: float,
    ended: float,
) -> str:
    """Record a trial that is over and return its run's id.

    `folds` are its validation scores, `fold_mAP` at steps 1, 2, ...; `history` gives the curves of its first
    fold, the training loss as the mean of each epoch. `started` and `ended` are seconds since 1970.
    """
    client = MlflowClient()
    when = int(ended * 1000)
    points = [Metric(key, float(value), when, 0) for key, value in metrics.items()]
    points += [Metric("fold_mAP", score, when, fold) for fold, score in enumerate(folds, start=1)]
    points += _curves(history, int(started * 1000), when)
    tags = {TRIAL: str(number), STATE: "pruned" if pruned else "complete", MLFLOW_PARENT_RUN_ID: parent.id}
    with store_errors():
        run_id = str(
            client.create_run(
                parent.experiment_id, int(started * 1000), run_name=f"trial {number}", tags=tags
            ).info.run_id
        )
        client.log_batch(run_id, points, [Param(key, str(value)) for key, value in params.items()])
        client.set_terminated(run_id, "FINISHED", end_time=when)
    return run_id


def logged_trials(parent: Run) -> set[int]:
    """Numbers of the trials that are recorded under this run; one that a kill cut short is deleted."""
    client = MlflowClient()
    with store_errors():
        runs = client.search_runs(
            [parent.experiment_id], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent.id}'", max_results=50_000
        )
        trials = [run for run in runs if TRIAL in run.data.tags]
        for run in trials:
            if not run.info.end_time:
                client.delete_run(run.info.run_id)
    return {int(run.data.tags[TRIAL]) for run in trials if run.info.end_time}


def is_unfinished(run_id: str) -> bool:
    """Whether there is such a run in this tracking store, and it may be resumed."""
    be_quiet()
    with suppress(MlflowException):
        found = MlflowClient().get_run(run_id)
        return bool(found.info.status != "FINISHED" and found.info.lifecycle_stage == "active")
    return False


def _curves(history: History, started: int, ended: int) -> list[Metric]:
    """Both losses at the ends of epochs; times are spread evenly over the trial."""
    ends = np.asarray(history.epoch_steps, dtype=int)
    if not len(ends):
        return []
    parts = np.split(np.asarray(history.iteration_losses), ends[:-1])
    validation = history.validation_losses or (np.nan,) * len(ends)
    times = np.linspace(started, ended, len(ends)).astype(int)
    kept = np.unique(np.linspace(0, len(ends) - 1, _CURVE_POINTS).astype(int))
    points = []
    for epoch in kept:
        step, when = int(ends[epoch]), int(times[epoch])
        values = {"training_loss": float(np.mean(parts[epoch])), "validation_loss": validation[epoch]}
        points += [Metric(key, value, when, step) for key, value in values.items() if np.isfinite(value)]
    return points
