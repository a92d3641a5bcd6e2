"""What a sweep leaves in MLflow: a run per trial, nested in its own, pictures, a table, and the winner."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..config import Config
from ..data.dataset import Dataset
from ..progress import stage
from ..reporting.figures.canvas import to_png
from ..reporting.figures.sweep_plots import (
    Axis,
    SweptTrial,
    importances,
    optimization_history,
    parallel_coordinates,
)
from ..results.sweep_result import SweepResult
from ..sweeping.space import Choice, Space
from ..sweeping.study import Study
from ..sweeping.trials import Trial
from ..tracking.run import Run
from ..tracking.tracked_run import tracked_run
from .trial_runs import is_unfinished, log_trial, logged_trials


@contextmanager
def sweep_run(config: Config, dataset: Dataset, study: Study, name: str, space_file: str) -> Iterator[Run]:
    """Resume the run of an interrupted sweep that was asked for the same, or begin one."""
    asked = _digest(config, dataset)
    earlier, then = study.run or ("", "")
    resumes = then == asked and is_unfinished(earlier)
    tags = {"aimonk.sweep": name, "aimonk.recipe": space_file}
    with tracked_run(config.tracking.experiment, name, tags, run_id=earlier if resumes else None) as run:
        study.run = (run.id, asked)
        yield run


def record_search(run: Run, config: Config, dataset: Dataset, study: Study) -> None:
    """Record what is settled before the search, and the trials of an earlier sweep of this name.

    The run keeps no request, since `aimonk train --resume` could not resume a sweep.
    """
    varying = study.space.dimensions
    settled = {name: value for name, value in config.flat().items() if name not in varying}
    run.params({**settled, "data.folder": dataset.folder, "data.labels": dataset.labels})
    run.json("sweep/space.json", study.space.to_json())
    known = logged_trials(run)
    for trial in study.trials:
        if trial.number not in known:
            record_trial(run, trial)


def record_trial(run: Run, trial: Trial) -> None:
    """Record a trial that is over."""
    log_trial(
        run,
        trial.number,
        trial.settings,
        {"validation_mAP": trial.score, "epochs": trial.epochs},
        trial.scores,
        trial.history,
        trial.pruned,
        trial.started,
        trial.ended,
    )


def publish_search(run: Run, study: Study, found: SweepResult) -> None:
    """Record what the search found: settings, gain, pictures, and a table of all trials."""
    run.params(found.settings)
    run.metrics({"validation_mAP": found.score, "trials": found.trials, "pruned": found.pruned})
    if found.gain:
        gain = found.gain.difference
        run.metrics({"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high})
    run.tags({"aimonk.best_trial": str(found.best)})
    with stage("pictures", "Pictures of the sweep"):
        _log_pictures(run, study, found.importances)
        run.table("sweep/trials.json", trials_table(study.trials, found))
        run.json("sweep/sweep.json", found.to_json()["sweep"])


def _log_pictures(run: Run, study: Study, shares: Mapping[str, float]) -> None:
    trials = [SweptTrial(trial.number, trial.settings, trial.score, trial.pruned) for trial in study.trials]
    drawn = {
        "parallel_coordinates": parallel_coordinates(trials, axes_of(study.space)),
        "optimization_history": optimization_history(trials),
    }
    if shares:
        drawn["importances"] = importances(shares)
    for name, figure in drawn.items():
        run.file(f"sweep/{name}.png", partial(Path.write_bytes, data=to_png(figure)))


def axes_of(space: Space) -> list[Axis]:
    """Return the space as the pictures take it."""
    return [
        Axis(name, choices=dimension.values)
        if isinstance(dimension, Choice)
        else Axis(name, dimension.low, dimension.high, dimension.log)
        for name, dimension in space.dimensions.items()
    ]


def trials_table(trials: list[Trial], found: SweepResult) -> dict[str, list[object]]:
    """Return a row per trial, the best first, as columns; MLflow shows it as a table."""
    ordered = sorted(trials, key=lambda trial: (trial.pruned, -trial.score))
    columns: dict[str, list[object]] = {
        "trial": [trial.number for trial in ordered],
        "state": ["pruned" if trial.pruned else "complete" for trial in ordered],
        "validation_mAP": [trial.score for trial in ordered],
    }
    columns |= {name: [trial.settings[name] for trial in ordered] for name in found.settings}
    for fold, winner in enumerate(found.winners):
        scores = [trial.scores[fold] if fold < len(trial.scores) else None for trial in ordered]
        columns[f"fold_{fold + 1}"] = list(scores)
        columns[f"wins_fold_{fold + 1}"] = [trial.number == winner for trial in ordered]
    return columns


def _digest(config: Config, dataset: Dataset) -> str:
    """Hex SHA-256 of all that a run records before the search: it is resumed only with equal parameters."""
    facts = [config.flat(), str(dataset.folder), str(dataset.labels), dataset.digest]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
