"""The main job on real data: what the command says, and what MLflow holds afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from tests.conftest import ROOT
from tests.end_to_end.conftest import Desk, Trained

pytestmark = pytest.mark.slow


def client_of(desk: Desk) -> MlflowClient:
    uri = desk.environment["MLFLOW_TRACKING_URI"]
    return MlflowClient(uri, uri)


def losses_of(trained: Trained, run_id: str) -> list[tuple[int, float]]:
    history = client_of(trained.desk).get_metric_history(run_id, "training_loss")
    return [(point.step, point.value) for point in history]


def test_the_seed_recipe_reads_and_splits_as_the_notebook_did(seed_model: Trained) -> None:
    answer = seed_model.answer
    assert answer["images"] == 972
    assert answer["sets"] == {"train": 777, "validation": 0, "test": 195}
    assert answer["missing"] == ["image_489.jpg", "image_624.jpg", "image_875.jpg"]
    assert [found["name"] for found in answer["attributes"]] == ["attr1", "attr2", "attr3", "attr4"]


def test_no_attribute_of_the_seed_data_is_claimed(seed_model: Trained) -> None:
    assert {found["verdict"] for found in seed_model.answer["attributes"]} == {"no evidence"}
    assert seed_model.answer["promotion"]["promoted"] is False
    assert "no evidence" in seed_model.answer["promotion"]["reason"]


def test_pos_weights_are_those_of_the_training_images(seed_model: Trained) -> None:
    client = client_of(seed_model.desk)
    path = client.download_artifacts(seed_model.answer["run_id"], "split.json")
    saved = pd.read_json(path, orient="split")
    train = set(saved.loc[saved["set"] == "train", "image"])
    assert len(train) == 777
    labels = pd.read_csv(seed_model.data.parent / "labels.txt", sep=r"\s+", header=None, na_values="NA")
    rows = labels[labels[0].isin(train)].drop(columns=0)
    expected = ((rows == 0).sum() / (rows == 1).sum()).to_numpy()
    np.testing.assert_allclose(list(seed_model.answer["pos_weights"].values()), expected, rtol=1e-6)


def test_the_run_holds_every_iteration_one_curve_and_one_version(seed_model: Trained) -> None:
    client = client_of(seed_model.desk)
    run_id = seed_model.answer["run_id"]
    points = losses_of(seed_model, run_id)
    assert sorted(step for step, _ in points) == list(range(1, 126))
    assert len(client.get_metric_history(run_id, "validation_loss")) == 5
    artifacts = [artifact.path for artifact in client.list_artifacts(run_id)]
    assert [path for path in artifacts if path.endswith(".png")] == ["loss_curve.png"]
    assert {"report.html", "predictions.parquet", "audit.json", "split.json"} <= set(artifacts)
    suspects = pd.read_json(client.download_artifacts(run_id, "suspects.json"), orient="split")
    assert len(suspects) == 40
    assert (suspects["probability"] - suspects["label"]).abs().is_monotonic_decreasing
    versions = client.search_model_versions("name = 'aimonk'")
    assert [str(version.version) for version in versions] == ["1"]
    assert (versions[0].description or "").startswith("NO EVIDENCE")
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["training.learning_rate"] == "0.0001"
    assert run.inputs is not None and run.inputs.dataset_inputs[0].dataset.digest


def test_same_seed_and_data_give_the_same_losses_without_a_forward_pass(seed_model: Trained) -> None:
    again = seed_model.desk.answer(*seed_model.arguments)
    assert again["forward_passes"] == 0
    assert again["version"] == "2"
    assert losses_of(seed_model, again["run_id"]) == losses_of(seed_model, seed_model.answer["run_id"])
    assert again["attributes"] == seed_model.answer["attributes"]


def test_real_attributes_are_learned_and_the_model_is_promoted(clothing_model: Trained) -> None:
    answer = clothing_model.answer
    learned = [found["name"] for found in answer["attributes"] if found["verdict"] == "learned"]
    assert len(learned) >= 22
    assert answer["folds"] == 5
    assert answer["images"] == 1518
    assert answer["promotion"]["promoted"] is True
    assert answer["mAP"] > 0.45
    client = client_of(clothing_model.desk)
    assert str(client.get_model_version_by_alias("clothing", "champion").version) == "1"


def test_ctrl_c_ends_the_run_as_killed_with_what_was_logged(seed_model: Trained) -> None:
    desk = seed_model.desk
    command = [sys.executable, "-m", "aimonk", *map(str, seed_model.arguments), "--epochs", "1000000"]
    command += ["--experiment", "interrupted"]
    process = subprocess.Popen(
        command,
        cwd=desk.folder,
        env={**desk.environment, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    client = client_of(desk)
    deadline = time.monotonic() + 120
    runs: list[mlflow.entities.Run] = []
    while time.monotonic() < deadline and not (runs and "training_loss" in runs[0].data.metrics):
        time.sleep(0.5)
        experiment = client.get_experiment_by_name("interrupted")
        runs = client.search_runs([experiment.experiment_id]) if experiment else []
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert "Traceback" not in said
    run = client.get_run(runs[0].info.run_id)
    assert run.info.status == "KILLED"
    steps = sorted(point.step for point in client.get_metric_history(run.info.run_id, "training_loss"))
    assert len(steps) >= 25
    assert steps == list(range(1, len(steps) + 1))
