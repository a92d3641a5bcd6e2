"""Commands against real tracking servers: killed, frozen, shared, and with users who log in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from mlflow.tracking import MlflowClient

from tests.conftest import ROOT
from tests.end_to_end.conftest import Desk
from tests.tracking.tracking_server import PASSWORD, TrackingServer, postgres, postgres_tools, running

pytestmark = pytest.mark.slow

SMALL = ("--backbone", "mobilenet@0.25", "--weights", "none", "--set", "features.resolution=0.3")
FROZEN = ("train", "--data", "demo", *SMALL, "--epochs", "2", "--set", "evaluation.folds=0")
FINETUNE = (
    *("train", "--config", "finetune", "--data", "demo", *SMALL, "--epochs", "6"),
    *("--set", "training.epochs=2", "--set", "finetune.batch_size=4", "--set", "finetune.resolution=0"),
    *("--set", "evaluation.folds=0"),
)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TrackingServer]:
    if request.param == "SQLite":
        with running(tmp_path / "server") as started:
            yield started
        return
    if postgres_tools() is None:
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed")
    with postgres() as backend, running(tmp_path / "server", backend) as started:
        yield started


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    assert made.aimonk("demo-data", "demo", "--images", "80").returncode == 0
    return made


def begin(desk: Desk, *arguments: str, uri: str) -> subprocess.Popen[str]:
    environment = {**desk.environment, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": uri}
    command = [sys.executable, "-m", "aimonk", *arguments]
    return subprocess.Popen(command, cwd=desk.folder, env=environment, text=True, stdout=-1, stderr=-1)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def fine_tuning(desk: Desk) -> bool:
    return any((desk.folder / "store" / "checkpoints").glob("*/*/*.npz"))


def losses(client: MlflowClient, run_id: str) -> list[tuple[int, float]]:
    history = client.get_metric_history(run_id, "training_loss")
    return sorted((point.step, point.value) for point in history)


def test_a_training_outlives_a_server_that_is_killed_and_one_that_is_gone(
    server: TrackingServer, desk: Desk
) -> None:
    client = MlflowClient(server.uri, server.uri)
    whole = desk.answer(*FINETUNE, "--register", "whole", MLFLOW_TRACKING_URI=server.uri)
    expected = losses(client, whole["run_id"])
    assert [step for step, _ in expected] == list(range(1, len(expected) + 1))

    process = begin(desk, *FINETUNE, "--register", "killed", uri=server.uri)
    wait_until(lambda: fine_tuning(desk), process)
    server.kill()
    time.sleep(5)
    server.start()
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 0, errors
    run_id = check_version(client, "killed", expected)
    assert f"Run {run_id}" in errors  # said at the start

    impatient = ("--set", "tracking.patience=2")
    process = begin(desk, *FINETUNE, *impatient, "--register", "gone", uri=server.uri)
    wait_until(lambda: fine_tuning(desk), process)
    server.kill()
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "not registered" in out  # the table of the evidence is there nevertheless
    last = errors.strip().splitlines()[-1]
    found = re.search(r"aimonk train --resume (\w{32})$", last)
    assert found, errors
    assert "the connection is refused" in last
    assert "Traceback" not in errors
    server.start()
    resumed = desk.answer("train", "--resume", found[1], MLFLOW_TRACKING_URI=server.uri)
    assert resumed["mAP"] == whole["mAP"]
    assert check_version(client, "gone", expected) == found[1]


def check_version(client: MlflowClient, name: str, expected: list[tuple[int, float]]) -> str:
    """There is one version, of a finished run with every iteration once; returns the run's id."""
    (version,) = client.search_model_versions(f"name = '{name}'")
    assert version.run_id
    assert losses(client, version.run_id) == expected
    assert client.get_run(version.run_id).info.status == "FINISHED"
    return str(version.run_id)


def test_a_frozen_server_holds_no_training_up(desk: Desk, tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        client = MlflowClient(server.uri, server.uri)
        process = begin(desk, *FINETUNE, "--register", "frozen", uri=server.uri)
        wait_until(lambda: fine_tuning(desk), process)
        server.signal(signal.SIGSTOP)
        thaw = threading.Timer(25, server.signal, [signal.SIGCONT])  # longer than one request may take
        thaw.start()
        errors = process.communicate(timeout=300)[1]
        thaw.join()
        assert process.returncode == 0, errors
        (version,) = client.search_model_versions("name = 'frozen'")
        steps = [step for step, _ in losses(client, str(version.run_id))]
        assert steps == list(range(1, len(steps) + 1))


def test_two_users_train_and_promote_at_once(server: TrackingServer, desk: Desk) -> None:
    with ThreadPoolExecutor(2) as pool:
        trained = list(
            pool.map(
                lambda seed: desk.answer(
                    *FROZEN, "--set", f"training.seed={seed}", MLFLOW_TRACKING_URI=server.uri
                ),
                range(2),
            )
        )
        assert sorted(answer["version"] for answer in trained) == ["1", "2"]
        promotions = list(
            pool.map(
                lambda version: desk.aimonk(
                    "promote", "aimonk", "--version", version, MLFLOW_TRACKING_URI=server.uri
                ),
                ("1", "2"),
            )
        )
    for done in promotions:
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
    client = MlflowClient(server.uri, server.uri)
    aliases = [client.get_model_version("aimonk", version).aliases for version in "12"]
    assert sum("champion" in found for found in aliases) <= 1


def test_rights_are_checked_before_the_training_and_passwords_are_not_shown(
    desk: Desk, tmp_path: Path
) -> None:
    with running(tmp_path / "server", auth=True) as server:
        admin = ("admin", PASSWORD)
        for name in ("anna", "ben"):
            body = {"username": name, "password": PASSWORD}
            made = requests.post(
                f"{server.uri}/api/2.0/mlflow/users/create", json=body, auth=admin, timeout=20
            )
            assert made.ok, made.text
        done = desk.aimonk(*FROZEN, MLFLOW_TRACKING_URI=server.as_user("anna"))
        assert done.returncode == 0, done.stderr

        # Ben may read what is Anna's, but not add to it.
        refused = desk.aimonk(*FROZEN, MLFLOW_TRACKING_URI=server.as_user("ben"))
        assert refused.returncode == 2
        assert "Fine-tuning" not in refused.stderr
        assert "it denies this user" in refused.stderr
        version = ("--experiment", "ben")
        refused = desk.aimonk(*FROZEN, *version, MLFLOW_TRACKING_URI=server.as_user("ben"))
        assert refused.returncode == 2
        assert "it denies this user" in refused.stderr
        runs = MlflowClient(server.as_user("admin"), server.as_user("admin"))
        experiment = runs.get_experiment_by_name("ben")
        assert experiment is not None
        (run,) = runs.search_runs([experiment.experiment_id])
        assert run.info.status == "FAILED"
        assert "training_loss" not in run.data.metrics  # it had not begun

        mine = ("--experiment", "ben", "--register", "ben")
        done = desk.aimonk(*FROZEN, *mine, MLFLOW_TRACKING_URI=server.as_user("ben"))
        assert done.returncode == 0, done.stderr
        gone = server.as_user("anna")
    away = desk.aimonk(*FROZEN, MLFLOW_TRACKING_URI=gone)
    assert away.returncode == 2
    for text in (refused.stderr, done.stderr, away.stderr, str(run.data.tags), str(run.data.params)):
        assert PASSWORD not in text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_says_how_to_resume_it(desk: Desk, number: int, code: int) -> None:
    temporary = Path(tempfile.mkdtemp(dir=desk.folder))
    environment = {**desk.environment, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "aimonk", *FINETUNE]
    process = subprocess.Popen(command, cwd=desk.folder, env=environment, text=True, stdout=-1, stderr=-1)
    wait_until(lambda: fine_tuning(desk), process)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == code
    last = errors.strip().splitlines()[-1]
    assert re.fullmatch(r"Interrupted\. Resume it with: aimonk train --resume \w{32}", last), errors
    for word in ("Traceback", "atexit", "locked", "Aborted"):
        assert word not in errors
    assert not [path for path in temporary.iterdir() if path.is_dir()]
    uri = desk.environment["MLFLOW_TRACKING_URI"]
    (run,) = MlflowClient(uri, uri).search_runs(["1"])
    assert run.info.status == "KILLED"


def test_an_early_error_is_one_line(desk: Desk) -> None:
    done = desk.aimonk("train", "--data", "nowhere")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
