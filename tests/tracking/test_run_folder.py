from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from aimonk.errors import TrackingError
from aimonk.tracking.run_folder import claimed, end_abandoned_runs
from aimonk.tracking.tracked_run import tracked_run
from tests.conftest import ROOT

HOLD = (
    "import sys, time; from pathlib import Path; from aimonk.tracking.run_folder import claimed\n"
    "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)\n"
)


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdout=-1,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_run_that_is_alive_is_not_resumed(store: MlflowClient, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("dresses", folders=tmp_path / "runs") as run:
        raise KeyboardInterrupt
    process = holder(tmp_path / "runs" / run.id)
    refusal = pytest.raises(TrackingError, match=f"The run {run.id} is being trained by another process")
    with refusal, tracked_run("dresses", run_id=run.id, folders=tmp_path / "runs"):
        pass
    assert store.get_run(run.id).info.status == "KILLED"  # nothing was touched
    process.kill()
    process.wait()
    with tracked_run("dresses", run_id=run.id, folders=tmp_path / "runs"):
        pass
    assert store.get_run(run.id).info.status == "FINISHED"
    assert not list((tmp_path / "runs").iterdir())


def test_runs_of_killed_processes_are_ended_at_the_next_start(store: MlflowClient, tmp_path: Path) -> None:
    dead, alive = (store.create_run("0").info.run_id for _ in range(2))
    (tmp_path / "runs" / dead).mkdir(parents=True)
    process = holder(tmp_path / "runs" / alive)
    try:
        with tracked_run("dresses", folders=tmp_path / "runs"):
            assert store.get_run(dead).info.status == "KILLED"
            assert store.get_run(alive).info.status == "RUNNING"
        assert (tmp_path / "runs" / dead).is_dir()  # to be resumed
    finally:
        process.kill()
        process.wait()


def test_what_nobody_resumed_is_deleted_in_the_end(store: MlflowClient, tmp_path: Path) -> None:
    for age, name in ((31, "old"), (29, "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ended").touch()
        then = time.time() - age * 24 * 3600
        os.utime(tmp_path / name / "ended", (then, then))
    end_abandoned_runs(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["new"]


def test_a_folder_is_free_again_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        with claimed(tmp_path / "run"):
            pass
