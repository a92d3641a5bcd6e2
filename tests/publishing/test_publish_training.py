"""What a training leaves behind, and that nothing of a failed one is registered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from aimonk.backbones.linear_head import append_head
from aimonk.config import Config, DataConfig, EvaluationConfig, TrackingConfig
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.demo.draw_demo import draw_demo
from aimonk.data.split import Split
from aimonk.errors import TrackingError, UndeliveredError
from aimonk.evaluation.calibration import Calibration
from aimonk.evaluation.cross_validation import FoldLogits, held_out_scores
from aimonk.evaluation.held_out import evidence_of
from aimonk.progress import recorded
from aimonk.publishing import publish_training as publishing
from aimonk.publishing.candidate import Candidate
from aimonk.publishing.publish_training import prepare_delivery, publish_training
from aimonk.results.training_result import TrainingResult
from aimonk.runtime.record import read_info
from aimonk.tracking.logged_model import model_package
from aimonk.tracking.tracked_run import tracked_run
from aimonk.training.history import History
from aimonk.training.learner import ExportedModel

from ..serving.conftest import HEAD, SIZE, mean_color

CONFIG = Config(
    evaluation=EvaluationConfig(folds=0, permutations=200, resamples=100),
    tracking=TrackingConfig(experiment="dresses", register="dresses"),
)
NAMES = ("sleeves (long)", 'a/b, "c" 👗')
LEARNER: Any = SimpleNamespace(
    backbone=SimpleNamespace(backbone="mean_color", digest="d", size=(SIZE, SIZE)),
    key=SimpleNamespace(folder="mean_color/openvino-f32", engine="openvino", precision="f32"),
    forward_passes=7,
)


class Model:
    """A fitted model."""

    history = History(np.array([0.7, 0.6], np.float32), (1, 2), (0.5, 0.4), 2)
    epochs = 2
    pos_weights = np.array([1.5, 2.0], np.float32)

    def logits(self, rows: np.ndarray) -> np.ndarray:
        return np.zeros((len(rows), 2))

    def export(self, calibration: Calibration) -> ExportedModel:
        return ExportedModel(append_head(mean_color(), HEAD), "f32", HEAD)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Drawings with two attributes whose names MLflow does not take."""
    folder = tmp_path_factory.mktemp("demo")
    draw_demo(folder, images=60)
    images = sorted(path.name for path in folder.glob("*.jpg"))
    quoted = '"sleeves (long)","a/b, ""c"" 👗"'
    rows = [f"{image},{row % 2},{row // 2 % 2}" for row, image in enumerate(images)]
    (folder / "labels.csv").write_text("\n".join([f"image,{quoted}", *rows]))
    config = Config(data=CONFIG.data.__class__(near_duplicates=-1, max_unusable=1.0))
    return read_dataset(folder, folder / "labels.csv", config)


@pytest.fixture
def candidate(dataset: Dataset) -> Candidate:
    rows = np.arange(len(dataset))
    split = Split(rows[:20], rows[20:30], rows[30:])
    logits = np.random.default_rng(0).normal(size=(len(rows), 2)) + 3 * dataset.targets
    parts = [FoldLogits(split, logits[split.validation], logits[split.test])]
    scores, operation = held_out_scores(parts, dataset, CONFIG.evaluation)
    evidence = evidence_of(scores, CONFIG)
    return Candidate(Model(), Model.history, split.train, split, scores, operation, evidence)


def published(dataset: Dataset, candidate: Candidate) -> TrainingResult:
    with recorded() as record, tracked_run("dresses") as run:
        return publish_training(run, LEARNER, dataset, candidate, CONFIG, record)


def test_everything_is_under_its_own_name(
    store: MlflowClient, dataset: Dataset, candidate: Candidate
) -> None:
    result = published(dataset, candidate)
    run = store.get_run(result.run_id)
    assert result.pos_weights == {NAMES[0]: 1.5, NAMES[1]: 2.0}
    assert [found["name"] for found in result.to_json()["attributes"]] == list(NAMES)
    metrics = {key for key in run.data.metrics if key.startswith("ap/")}
    assert len(metrics) == 2
    table = json.loads(
        Path(
            mlflow.artifacts.download_artifacts(run_id=result.run_id, artifact_path="attributes.json")
        ).read_text()
    )
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["attribute"] for row in rows] == list(NAMES)
    assert {f"ap/{row['key']}" for row in rows} == metrics
    for row in rows:
        assert run.data.metrics[f"ap/{row['key']}"] == pytest.approx(row["ap"])
        assert float(run.data.params[f"pos_weight.{row['key']}"]) == result.pos_weights[row["attribute"]]
    points = store.get_metric_history(result.run_id, "mAP")
    assert [point.step for point in points] == [0]
    assert store.get_model_version("dresses", result.version).aliases == ["champion"]
    assert result.decision.promote


def test_the_package_scores_images_as_large_as_the_training_took(
    store: MlflowClient, dataset: Dataset, candidate: Candidate
) -> None:
    config = replace(CONFIG, data=DataConfig(max_pixels=1_000_000))
    with recorded() as record, tracked_run("dresses") as run:
        result = publish_training(run, LEARNER, dataset, candidate, config, record)
    assert read_info(model_package(result.model_uri)).max_pixels == 1_000_000


@pytest.mark.parametrize("step", ["log_predictions", "log_evidence", "log_report", "judge", "register"])
def test_a_failure_on_the_way_leaves_no_version(
    store: MlflowClient, dataset: Dataset, candidate: Candidate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TrackingError("the disk is full")

    monkeypatch.setattr(publishing, step, fail)
    with pytest.raises(UndeliveredError, match="the disk is full") as caught:
        published(dataset, candidate)
    result = caught.value.result
    assert result.evidence == candidate.evidence  # shown all the same
    assert "The model is not registered, run" in str(result)
    assert json.loads(json.dumps(result.to_json()))["version"] == ""
    assert not store.search_model_versions("name = 'dresses'")
    experiment = store.get_experiment_by_name("dresses")
    assert experiment is not None
    (run,) = store.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"


def test_a_resumed_delivery_ends_as_one_that_was_not_interrupted(
    store: MlflowClient, dataset: Dataset, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the version was registered, before the alias moved: the version is used again."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "promote", interrupt)
        with pytest.raises(KeyboardInterrupt), recorded() as record, tracked_run("dresses") as run:
            publish_training(run, LEARNER, dataset, candidate, CONFIG, record)
    (version,) = store.search_model_versions("name = 'dresses'")
    assert store.get_model_version("dresses", version.version).aliases == []
    with recorded() as record, tracked_run("dresses", run_id=run.id) as run:
        result = publish_training(run, LEARNER, dataset, candidate, CONFIG, record)
    (version,) = store.search_model_versions("name = 'dresses'")
    assert result.version == str(version.version)
    assert store.get_model_version("dresses", version.version).aliases == ["champion"]
    assert len(store.get_metric_history(run.id, "mAP")) == 1
    table = json.loads(
        Path(mlflow.artifacts.download_artifacts(run_id=run.id, artifact_path="attributes.json")).read_text()
    )
    assert len(table["data"]) == 2


def test_the_registry_is_tried_before_the_training(store: MlflowClient) -> None:
    with tracked_run("dresses") as run:
        prepare_delivery(run, CONFIG)
        assert run.resume_command == f"aimonk train --resume {run.id}"
    found = store.get_registered_model("dresses")
    assert found.tags == {"aimonk.latest_run": run.id}
    quoted = replace(CONFIG, tracking=TrackingConfig(register="it's"))
    with pytest.raises(TrackingError, match="has a quote"), tracked_run("dresses") as run:
        prepare_delivery(run, quoted)


def test_few_attributes_have_metrics_of_their_own(
    store: MlflowClient, dataset: Dataset, candidate: Candidate
) -> None:
    few = Config(
        evaluation=CONFIG.evaluation,
        tracking=TrackingConfig(experiment="dresses", register="dresses", attribute_metrics=1),
    )
    with recorded() as record, tracked_run("dresses") as run:
        publish_training(run, LEARNER, dataset, candidate, few, record)
    metrics = store.get_run(run.id).data.metrics
    assert len([key for key in metrics if key.startswith("ap/")]) == 1
    assert "mAP" in metrics
