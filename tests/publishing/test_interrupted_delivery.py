"""A delivery that is interrupted at any of its requests, and resumed, ends as one that was not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from aimonk.data.dataset import Dataset
from aimonk.progress import recorded
from aimonk.publishing.candidate import Candidate
from aimonk.publishing.publish_training import publish_training
from aimonk.results.training_result import TrainingResult
from aimonk.tracking.tracked_run import tracked_run

from .test_publish_training import CONFIG, LEARNER, candidate, dataset  # noqa: F401

WRITES = (
    *("log_batch", "log_artifact", "create_registered_model", "create_model_version"),
    *("set_logged_model_tags", "set_model_version_tag", "set_registered_model_alias"),
)


ORIGINAL: dict[str, Callable[..., Any]] = {name: getattr(MlflowClient, name) for name in WRITES}


class Fuse:
    """Interrupts the request of this number, once; 0 interrupts none."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.names: list[str] = []

    def blow(self, name: str) -> None:
        self.names.append(name)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def install(patch: pytest.MonkeyPatch, fuse: Fuse) -> None:
    """Lead all requests that write through a fuse."""

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            fuse.blow(name)
            return original(*arguments, **named)

        return call

    for name in WRITES:
        patch.setattr(MlflowClient, name, wrapped(name, ORIGINAL[name]))


def publish(dataset: Dataset, candidate: Candidate, run_id: str | None = None) -> TrainingResult:  # noqa: F811
    with recorded() as record, tracked_run("dresses", run_id=run_id) as run:
        return publish_training(run, LEARNER, dataset, candidate, CONFIG, record)


def only_run(store: MlflowClient) -> str:
    experiment = store.get_experiment_by_name("dresses")
    assert experiment is not None
    (run,) = store.search_runs([experiment.experiment_id])
    return str(run.info.run_id)


def figures(store: MlflowClient, run_id: str) -> dict[str, float]:
    """What a run found out; seconds differ from run to run."""
    metrics = store.get_run(run_id).data.metrics
    return {key: value for key, value in metrics.items() if not key.startswith("seconds/")}


def rows(run_id: str, path: str) -> int:
    local = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path)
    return len(json.loads(Path(local).read_text())["data"])


def moments(count: int) -> list[int]:
    """The first, the last and every third request."""
    return sorted({1, *range(1, count + 1, 3), *range(max(1, count - 5), count + 1)})


@pytest.mark.slow
def test_it_may_be_interrupted_anywhere(
    store: MlflowClient,
    dataset: Dataset,  # noqa: F811
    candidate: Candidate,  # noqa: F811
    tmp_path: Path,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counting = Fuse(0)
    install(monkeypatch, counting)
    publish(dataset, candidate)
    expected = figures(store, only_run(store))
    assert "set_registered_model_alias" in counting.names
    for number in moments(len(counting.names)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
        monkeypatch.chdir(folder)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        install(monkeypatch, Fuse(number))
        with pytest.raises(KeyboardInterrupt):
            publish(dataset, candidate)
        here = MlflowClient()
        run_id = only_run(here)
        assert here.get_run(run_id).info.status == "KILLED"
        for version in here.search_model_versions("name = 'dresses'"):
            assert "champion" not in here.get_model_version("dresses", version.version).aliases
        install(monkeypatch, Fuse(0))
        publish(dataset, candidate, run_id)
        (version,) = here.search_model_versions("name = 'dresses'")
        assert version.run_id == run_id
        assert here.get_model_version("dresses", version.version).aliases == ["champion"]
        assert here.get_run(run_id).info.status == "FINISHED"
        assert figures(here, run_id) == expected
        assert len(here.get_metric_history(run_id, "mAP")) == 1
        assert rows(run_id, "attributes.json") == 2
