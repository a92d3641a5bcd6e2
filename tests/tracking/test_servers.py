"""Runs and the registry against real servers, without a training."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from mlflow.tracking import MlflowClient

from aimonk.errors import TrackingError
from aimonk.runtime.record import read_info
from aimonk.serving.log_package import log_package
from aimonk.tracking.logged_model import model_package
from aimonk.tracking.patience import be_patient, patience
from aimonk.tracking.registry import LATEST_RUN, check_registry
from aimonk.tracking.tracked_run import tracked_run

from .tracking_server import PASSWORD, TrackingServer, postgres, postgres_tools, running

pytestmark = pytest.mark.slow


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TrackingServer]:
    def use(started: TrackingServer) -> TrackingServer:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", started.uri)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
        return started

    if request.param == "SQLite":
        with running(tmp_path / "server") as started:
            yield use(started)
        return
    if postgres_tools() is None:
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed")
    with postgres() as backend, running(tmp_path / "server", backend) as started:
        yield use(started)


def test_every_iteration_is_stored_once_whatever_the_server_does(
    server: TrackingServer, tmp_path: Path
) -> None:
    with tracked_run("dresses", folders=tmp_path / "runs") as run:
        be_patient(120)
        run.iterations(1, np.full(500, 0.5, np.float32))
        server.signal(signal.SIGSTOP)
        run.iterations(501, np.full(500, 0.25, np.float32))  # takes no time
        thaw = threading.Timer(7, server.signal, [signal.SIGCONT])  # requests wait in its queue
        thaw.start()
        run.flush()
        thaw.join()
        server.kill()
        run.iterations(1001, np.full(500, 0.125, np.float32))
        start = threading.Thread(target=server.start)
        start.start()
        run.text("report.html", "<p>")  # artifacts wait too
        start.join()
    client = MlflowClient()
    history = client.get_metric_history(run.id, "training_loss")
    assert sorted(point.step for point in history) == list(range(1, 1501))
    assert client.get_run(run.id).info.status == "FINISHED"
    assert {artifact.path for artifact in client.list_artifacts(run.id)} == {
        "environment.json",
        "report.html",
    }


def test_rights_are_known_before_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "server", auth=True) as server:
        for name in ("anna", "ben"):
            made = requests.post(
                f"{server.uri}/api/2.0/mlflow/users/create",
                json={"username": name, "password": PASSWORD},
                auth=("admin", PASSWORD),
                timeout=20,
            )
            assert made.ok, made.text
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.as_user("anna"))
        with tracked_run("dresses") as run:
            check_registry("dresses", run.id)
        assert MlflowClient().get_registered_model("dresses").tags[LATEST_RUN] == run.id

        # Ben may read what is Anna's, and have an experiment of his own.
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.as_user("ben"))
        denied = pytest.raises(TrackingError, match="it denies this user runs/create; ask for permission")
        with denied as caught, tracked_run("dresses"):
            pass
        assert PASSWORD not in str(caught.value)
        denied = pytest.raises(TrackingError, match="it denies this user registered-models/")
        with denied as caught, tracked_run("ben") as run:
            check_registry("dresses", run.id)
        assert PASSWORD not in str(caught.value)
        assert MlflowClient().get_run(run.id).info.status == "FAILED"
        assert PASSWORD not in str(MlflowClient().get_run(run.id).to_dictionary())
        wrong = server.as_user("ben").replace(PASSWORD, "wrong-password")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", wrong)
        with pytest.raises(TrackingError, match="it denies this user") as caught, tracked_run("dresses"):
            pass
        assert "wrong-password" not in str(caught.value)


def test_a_model_is_fetched_once_the_server_is_back(
    server: TrackingServer, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with tracked_run("dresses") as run:
        log_package(package)
    server.kill()
    back = threading.Timer(3, server.start)
    back.start()
    try:
        with patience(120):
            fetched = model_package(f"runs:/{run.id}/model")
    finally:
        back.join()
    assert read_info(fetched) == read_info(package)
