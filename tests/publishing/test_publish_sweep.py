from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from aimonk.config_file import load_config
from aimonk.publishing.publish_sweep import (
    _log_pictures,
    axes_of,
    record_search,
    record_trial,
    sweep_run,
    trials_table,
)
from aimonk.reporting.figures.sweep_plots import Axis
from aimonk.results.sweep_result import SweepResult
from aimonk.sweeping.space import Range, Space

from ..sweeping.conftest import SETTINGS, make_trial

CONFIG = load_config(None, ["tracking.experiment=dresses"])
TRIALS = [make_trial(0, (0.5, 0.6)), make_trial(1, (0.1,), pruned=True), make_trial(2, (0.7, 0.6))]
DATA: Any = SimpleNamespace(folder=Path("photos"), labels=Path("photos/labels.csv"), digest="d")


def study_of(*trials: Any, run: tuple[str, str] | None = None) -> Any:
    space = Space({"training.l2": Range(1e-4, 1.0, log=True)})
    return SimpleNamespace(trials=list(trials), space=space, run=run)


def opened(study: Any, data: Any = DATA) -> Any:
    return sweep_run(CONFIG, data, study, "spring", "sweep")


def test_the_space_as_pictures_have_it(space: Space) -> None:
    assert axes_of(space) == [
        Axis("training.l2", 1e-4, 1.0, log=True),
        Axis("training.pos_weight_power", 0.0, 1.0),
        Axis("training.loss", choices=("weighted_bce", "focal")),
    ]


def test_the_table_has_a_row_per_trial_the_best_first() -> None:
    swept = SweepResult.of("spring", TRIALS, 0, TRIALS[2], [TRIALS[2], TRIALS[0]], None, {}, CONFIG)
    assert trials_table(TRIALS, swept) == {
        "trial": [2, 0, 1],
        "state": ["complete", "complete", "pruned"],
        "validation_mAP": [pytest.approx(0.65), pytest.approx(0.55), 0.1],
        "training.l2": [SETTINGS["training.l2"]] * 3,
        "training.loss": ["focal"] * 3,
        "fold_1": [0.7, 0.5, 0.1],
        "wins_fold_1": [True, False, False],
        "fold_2": [0.6, 0.6, None],
        "wins_fold_2": [False, True, False],
    }


def test_an_interrupted_sweep_resumes_its_run_with_the_trials_it_has(
    store: MlflowClient,
) -> None:
    study = study_of()
    with pytest.raises(KeyboardInterrupt), opened(study) as first:
        record_search(first, CONFIG, DATA, study)
        record_trial(first, TRIALS[0])
        study.trials = TRIALS[:2]  # the second one is kept, but was not logged any more
        raise KeyboardInterrupt
    with opened(study) as again:
        record_search(again, CONFIG, DATA, study)
    assert again.id == first.id
    run = store.get_run(again.id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["aimonk.recipe"] == "sweep"
    assert run.data.params["training.epochs"] == str(CONFIG.training.epochs)
    assert "training.l2" not in run.data.params  # settled when the winner is found
    trials = store.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert sorted(trial.data.tags["aimonk.trial"] for trial in trials) == ["0", "1"]
    with opened(study) as anew:  # that run has finished
        record_search(anew, CONFIG, DATA, study)
    assert anew.id != again.id
    assert study.run[0] == anew.id


def test_a_sweep_that_is_asked_for_something_else_has_a_run_of_its_own(store: MlflowClient) -> None:
    study = study_of()
    with pytest.raises(KeyboardInterrupt), opened(study) as first:
        raise KeyboardInterrupt
    moved = SimpleNamespace(folder=Path("elsewhere"), labels=DATA.labels, digest="d")
    with opened(study, moved) as second:
        pass
    assert second.id != first.id


def test_the_pictures_are_in_the_run(store: MlflowClient, tmp_path: Path) -> None:
    study = study_of(*(make_trial(number, (0.5 + number / 10,)) for number in range(3)))
    swept = SweepResult.of("spring", study.trials, 0, study.trials[2], [], None, {"training.l2": 1.0}, CONFIG)
    with opened(study) as run:
        _log_pictures(run, study, swept.importances)
    paths = {artifact.path for artifact in store.list_artifacts(run.id, "sweep")}
    assert paths == {
        "sweep/parallel_coordinates.png",
        "sweep/optimization_history.png",
        "sweep/importances.png",
    }
    path = mlflow.artifacts.download_artifacts(run_id=run.id, artifact_path="sweep/importances.png")
    assert Path(path).read_bytes().startswith(b"\x89PNG")
