"""What a sweep leaves in MLflow: a run per trial, nested in its own, pictures, a table, and the winner."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..commands.train import Learned
from ..config import Config
from ..data.dataset import Dataset
from ..data.split import Split
from ..progress import Stages
from ..reporting.figures.canvas import to_png
from ..reporting.figures.sweep_plots import (
    Axis,
    SweptTrial,
    importances,
    optimization_history,
    parallel_coordinates,
)
from ..results.sweep_result import Swept
from ..sweeping.space import Choice, Space, with_settings
from ..sweeping.study import Study
from ..sweeping.trials import Trial
from ..tracking.run import Run, tracked_run
from ..training.learner import Learner
from .publish_training import Publisher
from .trial_runs import is_unfinished, log_trial, logged_trials


class SweepPublisher:
    """Tells MLflow the story of one sweep; the winner's part is told by `publishing.Publisher`."""

    def __init__(self, run: Run, config: Config, data: Dataset, stages: Stages, study: Study) -> None:
        self.run, self.config, self.data, self.stages, self.study = run, config, data, stages, study

    @classmethod
    @contextmanager
    def open(
        cls, config: Config, data: Dataset, stages: Stages, study: Study, name: str, space_file: str
    ) -> Iterator[SweepPublisher]:
        """Go on with the run of an interrupted sweep that was asked for the same, or begin one."""
        asked = _digest(config, data)
        earlier, then = study.run or ("", "")
        goes_on = then == asked and is_unfinished(earlier)
        tags = {"aimonk.sweep": name, "aimonk.experiment_file": space_file}
        with tracked_run(config.tracking.experiment, name, tags, run_id=earlier if goes_on else None) as run:
            study.run = (run.id, asked)
            yield cls(run, config, data, stages, study)

    def begin(self, plan: Split) -> None:
        """Record what is settled before the search, and the trials of an earlier sweep of this name.

        The run keeps no request: `aimonk train --resume` could not go on with it.
        """
        varying = self.study.space.dimensions
        settled = {name: value for name, value in self.config.flat().items() if name not in varying}
        self.run.params({**settled, "data.folder": self.data.folder, "data.labels": self.data.labels})
        Publisher(self.run, self.config, self.data, self.stages).describe(plan)
        self.run.json("sweep/space.json", self.study.space.to_json())
        known = logged_trials(self.run)
        for trial in self.study.trials:
            if trial.number not in known:
                self.log_trial(trial)

    def log_trial(self, trial: Trial) -> None:
        """Record a trial that is over."""
        log_trial(
            self.run,
            trial.number,
            trial.settings,
            {"validation_mAP": trial.score, "epochs": trial.epochs},
            trial.scores,
            trial.history,
            trial.pruned,
            trial.started,
            trial.ended,
        )

    def publish_sweep(self, learner: Learner, learned: Learned, found: Swept) -> Swept:
        """Record the search, then publish the winner as any training is."""
        self.run.params(found.settings)
        self.run.metrics({"validation_mAP": found.score, "trials": found.trials, "pruned": found.pruned})
        if found.gain:
            gain = found.gain.difference
            self.run.metrics({"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high})
        self.run.tags({"aimonk.best_trial": str(found.best)})
        with self.stages.stage("pictures", "Pictures of the sweep"):
            self._log_pictures(found)
            self.run.table("sweep/trials.json", trials_table(self.study.trials, found))
            self.run.json("sweep/sweep.json", found.to_json()["sweep"])
        settled = with_settings(self.config, found.settings)
        outcome = Publisher(self.run, settled, self.data, self.stages).publish(learner, learned)
        return dataclasses.replace(found, outcome=outcome)

    def _log_pictures(self, found: Swept) -> None:
        trials = [
            SweptTrial(trial.number, trial.settings, trial.score, trial.pruned) for trial in self.study.trials
        ]
        drawn = {
            "parallel_coordinates": parallel_coordinates(trials, axes_of(self.study.space)),
            "optimisation_history": optimization_history(trials),
        }
        if found.importances:
            drawn["importances"] = importances(found.importances)
        for name, figure in drawn.items():
            self.run.file(f"sweep/{name}.png", partial(Path.write_bytes, data=to_png(figure)))


def axes_of(space: Space) -> list[Axis]:
    """The space as pictures have it."""
    return [
        Axis(name, choices=dimension.values)
        if isinstance(dimension, Choice)
        else Axis(name, dimension.low, dimension.high, dimension.log)
        for name, dimension in space.dimensions.items()
    ]


def trials_table(trials: list[Trial], found: Swept) -> dict[str, list[object]]:
    """A row per trial, the best first; MLflow shows it as a table."""
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


def _digest(config: Config, data: Dataset) -> str:
    """Of all that a run records before the search: a run goes on only with equal parameters."""
    facts = [config.flat(), str(data.folder), str(data.labels), data.digest]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
