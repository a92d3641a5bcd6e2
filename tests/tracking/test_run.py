from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.validation import _validate_metric_name

from aimonk import __version__
from aimonk.errors import ModelError, TrackingError
from aimonk.tracking import delivery
from aimonk.tracking.dataset_input import describe
from aimonk.tracking.run import Run, metric_key
from aimonk.tracking.tracked_run import tracked_run
from tests.conftest import ROOT


def artifact(run: Run, path: str) -> Path:
    return Path(mlflow.artifacts.download_artifacts(run_id=run.id, artifact_path=path))


def test_a_run_keeps_what_it_is_told(store: MlflowClient) -> None:
    with tracked_run("dresses", "first", {"aimonk.verdict": "LEARNED"}) as run:
        run.params({f"section.key{number}": number for number in range(250)})
        run.metrics({"ap/attr 1": 0.75, "ap/é(x)": 0.5, "ap/undefined": float("nan")}, step=3)
        run.tags({"more": "text"})
    kept = store.get_run(run.id)
    assert kept.info.status == "FINISHED"
    assert kept.info.run_name == "first"
    assert len(kept.data.params) == 250
    assert kept.data.params["section.key249"] == "249"
    assert kept.data.metrics == {"ap/attr 1": 0.75, "ap/é_x_": 0.5}
    assert {key: kept.data.tags[key] for key in ("aimonk.verdict", "more", "aimonk.version")} == {
        "aimonk.verdict": "LEARNED",
        "more": "text",
        "aimonk.version": __version__,
    }
    assert store.get_experiment(kept.info.experiment_id).name == "dresses"


def test_every_iteration_is_there_once_at_its_step(store: MlflowClient) -> None:
    losses = np.random.default_rng(0).random(2345).astype(np.float32)
    started = int(time.time() * 1000)
    with tracked_run("dresses") as run:
        run.iterations(1, losses[:1])
        run.iterations(2, losses[1:1200])
        run.epoch(1, 1200, 0.25)
        run.iterations(1201, losses[1200:])
        run.epoch(2, 2345, None)
    history = store.get_metric_history(run.id, "training_loss")
    assert [point.step for point in history] == list(range(1, 2346))
    np.testing.assert_array_equal(np.array([point.value for point in history], np.float32), losses)
    times = [point.timestamp for point in history]
    assert times == sorted(times)
    assert started <= times[0] <= times[-1] <= time.time() * 1000
    (validation,) = store.get_metric_history(run.id, "validation_loss")
    assert (validation.step, validation.value) == (1200, 0.25)


def test_losses_are_written_while_the_training_runs(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FLUSH_SECONDS", 0.2)
    with tracked_run("dresses") as run:
        run.iterations(1, np.ones(3, np.float32))
        deadline = time.monotonic() + 10
        while not store.get_metric_history(run.id, "training_loss"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (ModelError("no"), "FAILED"),
        (ValueError("no"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(1), "KILLED"),
    ],
)
def test_a_run_that_ends_early_says_so_and_keeps_its_losses(
    store: MlflowClient, raised: BaseException, status: str
) -> None:
    with pytest.raises(type(raised)), tracked_run("dresses") as run:
        run.iterations(1, np.array([0.5, 0.25], np.float32))
        raise raised
    assert store.get_run(run.id).info.status == status
    assert [point.value for point in store.get_metric_history(run.id, "training_loss")] == [0.5, 0.25]
    assert mlflow.active_run() is None


def test_the_first_error_is_told(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise TrackingError("the consequence")

    with pytest.raises(ValueError, match="the cause"), tracked_run("dresses") as run:
        run.iterations(1, np.ones(1, np.float32))
        monkeypatch.setattr(run, "flush", fail)
        raise ValueError("the cause")
    assert store.get_run(run.id).info.status == "FAILED"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_killed_process_leaves_a_killed_run(store: MlflowClient, tmp_path: Path, number: int) -> None:
    code = (
        "import time, numpy as np\n"
        "from aimonk.tracking.tracked_run import tracked_run\n"
        "with tracked_run('dresses') as run:\n"
        "    run.iterations(1, np.ones(7, np.float32)); print(run.id, flush=True); time.sleep(30)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=-1,
        stderr=-1,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode != 0
    assert store.get_run(run_id).info.status == "KILLED"
    assert len(store.get_metric_history(run_id, "training_loss")) == 7


def test_artifacts_are_where_they_are_said_to_be(store: MlflowClient) -> None:
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([1, 2])
    with tracked_run("dresses") as run:
        run.text("report.html", "<p>é</p>")
        run.json("deep/er/facts.json", {"a": np.float32(0.5), "b": [float("nan"), np.arange(2)]})
        run.figure("figures/loss_curve.png", figure)
        run.table("t.parquet", {"image": ("a", "b"), "p": np.array([[0.5, 1], [2, 3]])})
        run.table("t.json", {"image": ["a", "b"], "p": [0.5, float("nan")]})
    assert artifact(run, "report.html").read_text(encoding="utf-8") == "<p>é</p>"
    assert json.loads(artifact(run, "deep/er/facts.json").read_text()) == {"a": 0.5, "b": [None, [0, 1]]}
    assert artifact(run, "figures/loss_curve.png").read_bytes().startswith(b"\x89PNG")
    table = pd.read_parquet(artifact(run, "t.parquet"))
    assert [list(row) for row in table["p"]] == [[0.5, 1], [2, 3]]
    table_json = json.loads(artifact(run, "t.json").read_text())
    assert table_json == {"columns": ["image", "p"], "data": [["a", 0.5], ["b", None]]}
    logged = json.loads(store.get_run(run.id).data.tags["mlflow.loggedArtifacts"])
    assert logged == [{"path": "t.json", "type": "table"}]  # MLflow's page shows it as a table


def test_the_environment_is_recorded(store: MlflowClient) -> None:
    with tracked_run("dresses") as run:
        pass
    facts = json.loads(artifact(run, "environment.json").read_text())
    assert facts["python"] == sys.version.split()[0]
    assert facts["packages"]["numpy"] == np.__version__


def test_a_run_goes_on_where_it_was_left(store: MlflowClient) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("dresses") as first:
        first.iterations(1, np.ones(2, np.float32))
        raise KeyboardInterrupt
    with tracked_run("dresses", run_id=first.id) as second:
        second.iterations(3, np.zeros(1, np.float32))
    assert second.id == first.id
    assert store.get_run(first.id).info.status == "FINISHED"
    history = store.get_metric_history(first.id, "training_loss")
    assert [(point.step, point.value) for point in history] == [(1, 1), (2, 1), (3, 0)]


def test_what_was_lost_between_here_and_the_store_is_delivered_later(
    store: MlflowClient, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("dresses", folders=tmp_path / "runs") as first:
        first.iterations(1, np.array([3, 2], np.float32))
        first.flush()
        first.iterations(3, np.array([1, 0], np.float32))
        first.epoch(1, 4, 0.5)
        first._delivery._queue.clear()  # as if killed before the store had them
        raise KeyboardInterrupt
    assert len(store.get_metric_history(first.id, "training_loss")) == 2
    with tracked_run("dresses", run_id=first.id, folders=tmp_path / "runs") as second:
        second.iterations(3, np.array([1, 0, 0.25], np.float32))  # from its last checkpoint on
        second.epoch(1, 4, 0.5)
    history = store.get_metric_history(first.id, "training_loss")
    assert sorted((point.step, point.value) for point in history) == [
        (1, 3),
        (2, 2),
        (3, 1),
        (4, 0),
        (5, 0.25),
    ]
    assert [point.step for point in store.get_metric_history(first.id, "validation_loss")] == [4]
    assert not (tmp_path / "runs" / first.id).exists()


def test_a_point_that_is_sent_twice_is_stored_once(store: MlflowClient) -> None:
    """What a retry relies on: nobody knows whether a request that timed out was carried out."""
    with tracked_run("dresses") as run:
        points = [
            Metric("training_loss", value, 1_700_000_000_000 + step, step)
            for step, value in enumerate([0.1, 0.2])
        ]
        for _ in range(2):
            run._send(metrics=points)
    assert len(store.get_metric_history(run.id, "training_loss")) == 2


def test_a_resumed_run_repeats_no_figure_and_no_row(store: MlflowClient) -> None:
    run_id = None
    for _ in range(2):
        with suppress(KeyboardInterrupt), tracked_run("dresses", run_id=run_id) as run:
            run_id = run.id
            run.metrics({"mAP": 0.75})
            run.table("t.json", {"image": ["a"]})
            raise KeyboardInterrupt
    assert len(store.get_metric_history(run.id, "mAP")) == 1
    assert json.loads(artifact(run, "t.json").read_text()) == {"columns": ["image"], "data": [["a"]]}


def test_an_error_says_how_to_resume(store: MlflowClient) -> None:
    with pytest.raises(ValueError) as caught, tracked_run("dresses") as run:
        run.resume_command = f"aimonk train --resume {run.id}"
        raise ValueError("no")
    assert caught.value.__notes__ == [f"Resume it with: aimonk train --resume {run.id}"]


def test_mlflow_run_brings_its_own_run(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = store.create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", brought.info.run_id)
    with tracked_run("dresses") as run:
        pass
    assert (run.id, run.experiment_id) == (brought.info.run_id, "0")


def test_nested_runs_know_their_parent(store: MlflowClient) -> None:
    with tracked_run("sweep") as parent, tracked_run("sweep", nested=True) as child:
        pass
    assert store.get_run(child.id).data.tags["mlflow.parentRunId"] == parent.id


@given(st.text(max_size=300))
def test_any_name_makes_a_metric(name: str) -> None:
    _validate_metric_name(metric_key(name))


def test_two_runs_that_meet_on_new_data_both_record_it(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_inputs, refused = MlflowClient.log_inputs, ["duplicate key value violates unique constraint"]

    def racing(client: MlflowClient, *arguments: Any) -> None:
        if refused:
            raise MlflowException(f"BAD_REQUEST: {refused.pop()}")
        log_inputs(client, *arguments)

    monkeypatch.setattr(MlflowClient, "log_inputs", racing)
    with tracked_run("dresses") as run:
        run.dataset(describe(Path("photos"), "d", 1, []), "training")
    inputs = store.get_run(run.id).inputs
    assert inputs is not None
    assert len(inputs.dataset_inputs) == 1
