"""A fine-tuning that is killed resumes where it was: the same run, every iteration once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.conftest import ROOT
from tests.end_to_end.conftest import Desk

pytestmark = pytest.mark.slow

HEAD_EPOCHS, EPOCHS = 2, 6
SETTINGS = (
    *("train", "--config", "finetune", "--data", "demo"),
    *("--backbone", "mobilenet@0.25", "--weights", "none", "--epochs", EPOCHS),
    *("--set", "features.resolution=0.3", "--set", f"training.epochs={HEAD_EPOCHS}"),
    *("--set", "finetune.batch_size=4", "--set", "finetune.learning_rate=1e-4"),
    *("--set", "finetune.resolution=0"),
)


def steps(client: MlflowClient, run_id: str, name: str = "training_loss") -> list[int]:
    return [point.step for point in client.get_metric_history(run_id, name)]


def losses(client: MlflowClient, run_id: str) -> dict[int, float]:
    return {point.step: point.value for point in client.get_metric_history(run_id, "training_loss")}


def started(client: MlflowClient, name: str) -> Run | None:
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    return runs[0] if runs else None


def kill_while_fine_tuning(desk: Desk, client: MlflowClient) -> str:
    """Kill -9 as soon as a checkpoint of an epoch that is not the last is there; returns the run's id."""
    command = [sys.executable, "-m", "aimonk", *map(str, SETTINGS), "--experiment", "killed"]
    process = subprocess.Popen(
        command, cwd=desk.folder, env={**desk.environment, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 180
    checkpoints: list[Path] = []
    while not checkpoints and process.poll() is None and time.monotonic() < deadline:
        checkpoints = list((desk.folder / "store" / "checkpoints").glob("*/*/*.npz"))
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert checkpoints, "no checkpoint was written"
    run = started(client, "killed")
    assert run is not None
    assert run.info.status == "RUNNING"
    return str(run.info.run_id)


def test_a_killed_fine_tuning_resumes_without_losing_or_repeating_an_iteration(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.aimonk("demo-data", "demo", "--images", "80").returncode == 0
    whole = desk.answer(*SETTINGS, "--experiment", "whole")
    uri = desk.environment["MLFLOW_TRACKING_URI"]
    client = MlflowClient(uri, uri)
    expected = sorted(steps(client, whole["run_id"]))
    assert expected == list(range(1, len(expected) + 1))

    run_id = kill_while_fine_tuning(desk, client)
    before = steps(client, run_id)
    assert len(before) < len(expected)
    refused = desk.aimonk("train", "--resume", run_id, "--epochs", "3")
    assert refused.returncode == 2
    assert "give --resume alone" in refused.stderr
    resumed = desk.answer("train", "--resume", run_id)
    assert resumed["run_id"] == run_id
    assert sorted(steps(client, run_id)) == expected
    assert sorted(steps(client, run_id, "validation_loss")) == sorted(
        steps(client, whole["run_id"], "validation_loss")
    )
    assert client.get_run(run_id).info.status == "FINISHED"
    assert losses(client, run_id) == losses(client, whole["run_id"])
    assert resumed["mAP"] == whole["mAP"]
    assert client.get_run(run_id).data.tags["aimonk.recipe"] == "finetune"
    assert not list((desk.folder / "store" / "checkpoints").iterdir())

    again = desk.aimonk("train", "--resume", run_id)
    assert again.returncode == 2
    assert "has finished" in again.stderr
