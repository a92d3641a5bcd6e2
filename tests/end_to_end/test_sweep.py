"""A sweep on real data: what it says, what MLflow holds, and that it goes on after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from tests.conftest import ROOT
from tests.end_to_end.conftest import Desk

pytestmark = pytest.mark.slow
TRIALS = 10


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def arguments(shared: Path, weights: Path) -> tuple[object, ...]:
    data = shared / "data" / "clothing"
    return (
        *("sweep", "--space", "sweep", "--data", data / "images"),
        *("--labels", data / "labels.csv", "--backbone", "mobilenet@0.25", "--weights", weights),
        *("--register", "clothing", "--set", "training.epochs=20", "--trials", TRIALS),
    )


@pytest.fixture(scope="module")
def swept(desk: Desk, arguments: tuple[object, ...]) -> Mapping[str, Any]:
    return desk.answer(*arguments)


@pytest.fixture
def client(desk: Desk) -> MlflowClient:
    uri = desk.environment["MLFLOW_TRACKING_URI"]
    return MlflowClient(uri, uri)


def trials_of(client: MlflowClient, run_id: str) -> list[mlflow.entities.Run]:
    experiment = client.get_run(run_id).info.experiment_id
    return list(client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'"))


def test_the_answer_is_that_of_a_training_and_of_the_sweep(swept: Mapping[str, Any]) -> None:
    sweep = swept["sweep"]
    assert (swept["version"], swept["folds"], swept["images"]) == ("1", 5, 1518)
    assert swept["promotion"]["promoted"] is True
    assert (sweep["trials"], sweep["resumed"]) == (TRIALS, 0)
    assert set(sweep["best"]["settings"]) == {
        "training.l2",
        "training.pos_weight_power",
        "training.loss",
    }
    assert len(sweep["fold_winners"]) == 5
    assert swept["mAP"] > 0.45
    assert abs(sweep["gain"]["value"]) < 0.1


def test_each_trial_is_a_nested_run_with_its_curve(swept: Mapping[str, Any], client: MlflowClient) -> None:
    trials = trials_of(client, swept["run_id"])
    assert sorted(int(trial.data.tags["aimonk.trial"]) for trial in trials) == list(range(TRIALS))
    states = [trial.data.tags["aimonk.trial_state"] for trial in trials]
    assert states.count("pruned") == swept["sweep"]["pruned"]
    for trial in trials:
        assert len(trial.data.params) == 3
        folds = client.get_metric_history(trial.info.run_id, "fold_mAP")
        assert 1 <= len(folds) <= 5
        assert len(folds) == 5 or trial.data.tags["aimonk.trial_state"] == "pruned"
        curve = client.get_metric_history(trial.info.run_id, "training_loss")
        assert 1 <= len(curve) <= 20
    best = max(
        (trial for trial in trials if trial.data.tags["aimonk.trial_state"] == "complete"),
        key=lambda trial: trial.data.metrics["validation_mAP"],
    )
    assert int(best.data.tags["aimonk.trial"]) == swept["sweep"]["best"]["trial"]
    assert best.data.metrics["validation_mAP"] == swept["sweep"]["best"]["validation_mAP"]


def test_the_sweeps_own_run_is_that_of_the_winner(swept: Mapping[str, Any], client: MlflowClient) -> None:
    run = client.get_run(swept["run_id"])
    assert run.info.status == "FINISHED"
    for name, value in swept["sweep"]["best"]["settings"].items():
        assert run.data.params[name] == str(value)
    losses = client.get_metric_history(swept["run_id"], "training_loss")
    assert sorted(point.step for point in losses) == list(range(1, len(losses) + 1))
    assert {artifact.path for artifact in client.list_artifacts(swept["run_id"], "sweep")} >= {
        "sweep/parallel_coordinates.png",
        "sweep/optimization_history.png",
        "sweep/importances.png",
        "sweep/trials.json",
    }
    artifacts = {artifact.path for artifact in client.list_artifacts(swept["run_id"])}
    assert {"loss_curve.png", "report.html", "predictions.parquet", "split.json"} <= artifacts
    table = pd.read_json(client.download_artifacts(swept["run_id"], "sweep/trials.json"), orient="split")
    assert table["trial"].tolist()[0] == swept["sweep"]["best"]["trial"]
    assert len(table) == TRIALS


def test_a_killed_sweep_goes_on_to_the_same_end(
    swept: Mapping[str, Any], desk: Desk, client: MlflowClient, arguments: tuple[object, ...]
) -> None:
    other = (*arguments, "--name", "killed", "--experiment", "killed")
    process = subprocess.Popen(
        [sys.executable, "-m", "aimonk", *map(str, other)],
        cwd=desk.folder,
        env={**desk.environment, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    kept = desk.folder / "store" / "sweeps" / "killed"
    deadline = time.monotonic() + 300
    while len(list(kept.glob("*.npz"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = len(list(kept.glob("*.npz")))
    assert 4 <= done < TRIALS
    again = desk.answer(*other)
    assert 3 <= again["sweep"]["resumed"] <= done  # the last file may not be in the study yet
    assert again["sweep"]["trials"] == TRIALS
    trials = trials_of(client, again["run_id"])
    assert sorted(int(trial.data.tags["aimonk.trial"]) for trial in trials) == list(range(TRIALS))
    experiment = client.get_experiment_by_name("killed")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len([run for run in runs if "mlflow.parentRunId" not in run.data.tags]) == 1
    if again["sweep"]["resumed"] % 4 == 0:  # not killed in the middle of keeping a generation
        assert again["sweep"]["best"] == swept["sweep"]["best"]
        assert again["attributes"] == swept["attributes"]


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("[training]\nlr = [0.1, 1.0]", (), "no setting training.lr"),
        ("[features]\ncolors = [0, 1]", (), "features.colors"),
        ("[training]\nl2 = [0.1, 1.0]", ("--set", "evaluation.folds=0"), "evaluation.folds"),
        ("[training]\nl2 = [0.1, 1.0]", ("--name", "../x"), "--name"),
        (None, (), "no search space"),
    ],
)
def test_a_wrong_space_is_one_sentence(
    tmp_path: Path, text: str | None, more: tuple[str, ...], said: str
) -> None:
    if text is not None:
        (tmp_path / "space.toml").write_text(text)
    done = Desk(tmp_path).aimonk("sweep", "--space", "space.toml", "--data", "nowhere", *more)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
