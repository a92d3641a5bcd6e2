from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from aimonk.errors import StoreAwayError, TrackingError
from aimonk.tracking.tracking_store import EXPERIMENT_TAGS, create_database, open_store
from tests.conftest import ROOT


def test_an_experiment_is_made_once(store: MlflowClient) -> None:
    first = open_store("dresses")
    assert open_store("dresses") == first
    assert store.get_experiment(first).name == "dresses"


def test_a_deleted_experiment_is_named(store: MlflowClient) -> None:
    store.delete_experiment(open_store("dresses"))
    with pytest.raises(TrackingError, match="'dresses' was deleted"):
        open_store("dresses")


def test_a_new_store_is_the_one_that_mlflow_itself_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert MlflowClient().get_experiment(open_store("dresses")).tags == EXPERIMENT_TAGS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlruns"]


def test_a_store_that_cannot_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setattr("sys.executable", shutil.which("false") or pytest.fail("no command `false`"))
    with pytest.raises(TrackingError, match=r"MLflow cannot create mlflow\.db"):
        open_store("dresses")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_several_processes_make_one_store_quietly(tmp_path: Path) -> None:
    code = (
        "from aimonk.tracking.tracking_store import EXPERIMENT_TAGS, open_store; print(open_store('dresses'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True, stdout=-1, stderr=-1
        )
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in answers] == ["", "", ""]
    assert len({out for out, _ in answers}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlruns"]


@pytest.mark.parametrize("where", ["/dev/null/mlflow.db", "{}/file/mlflow.db"])
def test_a_place_that_cannot_be_written_is_one_sentence(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{where.format(tmp_path)}")
    with pytest.raises(
        TrackingError, match=r"The tracking store sqlite:.* cannot be used: .*MLFLOW_TRACKING_URI"
    ):
        open_store("dresses")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database, but long enough to look at" * 10)
    with pytest.raises(TrackingError, match="file is not a database"):
        open_store("dresses")


def test_a_store_of_another_mlflow_says_how_to_mend_it(empty_store: Path, tmp_path: Path) -> None:
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    with pytest.raises(TrackingError, match="mlflow db upgrade"):
        open_store("dresses")


def test_a_dead_server_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:9 cannot be used"):
        open_store("dresses")


def test_a_dead_database_is_one_sentence_and_not_tried_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg2")
    from mlflow.store.db import utils

    monkeypatch.setattr(utils, "MAX_RETRY_COUNT", 10)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql+psycopg2://anna:secret@127.0.0.1:9/mlflow")
    began = time.monotonic()
    with pytest.raises(StoreAwayError, match=r"postgresql\+psycopg2://\*\*\*@127\.0\.0\.1:9") as caught:
        open_store("dresses")
    assert "the connection is refused" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert time.monotonic() - began < 10


def test_why_a_database_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = (
        "Traceback (most recent call last):\n"
        '  File "a.py", line 1, in a\n'
        "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database or disk is full\n"
        "[SQL: CREATE TABLE runs]\n"
        "(Background on this error at: https://sqlalche.me/e/21/e3q8)\n"
    )
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", errors)
    )
    with pytest.raises(OSError, match=r"cannot create a\.db: .*database or disk is full$"):
        create_database(tmp_path / "a.db")


def test_an_artifact_folder_that_cannot_be_written_is_found_first(
    store: MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "mlruns").write_text("in the way")
    with pytest.raises(TrackingError, match="artifact folder .*mlruns.* cannot be written"):
        open_store("dresses")


def test_defaults_are_set_before_mlflow_is_imported() -> None:
    code = (
        "import os, sys; os.environ['MLFLOW_HTTP_REQUEST_MAX_RETRIES'] = '5'\n"
        "os.environ.pop('MLFLOW_DISABLE_TELEMETRY', None)\n"
        "import aimonk.tracking; assert 'mlflow' not in sys.modules\n"
        "print(os.environ['MLFLOW_DISABLE_TELEMETRY'], os.environ['MLFLOW_HTTP_REQUEST_MAX_RETRIES'],"
        " os.environ['MLFLOW_HTTP_REQUEST_TIMEOUT'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["true", "5", "20"]


def test_an_artifact_location_on_the_server_is_no_local_folder(store: MlflowClient, tmp_path: Path) -> None:
    store.create_experiment("proxied", artifact_location="mlflow-artifacts:/1")
    before = sorted(path.name for path in tmp_path.iterdir())
    open_store("proxied")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
