from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from aimonk.errors import ModelError, TrackingError
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.record import RECORD, read_info
from aimonk.serving.log_package import log_package
from aimonk.tracking.logged_model import model_package
from aimonk.tracking.patience import patience
from aimonk.tracking.registry import CHAMPION, register, set_alias
from aimonk.tracking.tracked_run import tracked_run

from ..conftest import ROOT
from ..serving.conftest import plain_image

RED = plain_image(200, 0, 250)  # logits 1 and -2


@pytest.fixture
def logged(store: MlflowClient, package: Path) -> ModelInfo:
    with tracked_run("dresses"):
        return log_package(package)


def test_every_uri_finds_the_package(logged: ModelInfo, package: Path) -> None:
    found = register("dresses", logged, "NO EVIDENCE")
    set_alias(found, CHAMPION)
    folder = mlflow.artifacts.download_artifacts(logged.model_uri)
    uris = [
        "models:/dresses/1",
        "models:/dresses@champion",
        "models:/dresses/latest",
        f"runs:/{logged.run_id}/model",
    ]
    for uri in [*uris, logged.model_uri, folder, str(package)]:
        assert read_info(model_package(uri)) == read_info(package), uri
    answer = Predictor(model_package("models:/dresses@champion")).predict([RED])
    assert answer[0].predicted_attributes == ("red",)


def test_a_store_that_needs_a_package_names_it(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)  # as if they were not installed
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ModelError, match=r"s3:// needs boto\w+, which is not installed"):
        model_package("s3://bucket/model")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/absent/1", "models:/absent/1 cannot be fetched"),
        ("models:/absent@champion", "models:/absent@champion cannot be fetched"),
        ("runs:/0123456789abcdef0123456789abcdef/model", "cannot be fetched"),
        ("models:/", "names no version; give models:/NAME@champion"),
        ("models:/dresses", "models:/dresses names no version; give models:/NAME@champion"),
        ("models:/m-0123456789abcdef0123456789abcdef", "cannot be fetched"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x cannot be fetched"),
        ("absent", "There is no model absent; give"),
        ("", r"There is no model \(empty\); give"),
    ],
)
def test_a_model_that_is_not_there_is_one_sentence(store: MlflowClient, uri: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as raised:
        model_package(uri)
    assert "\n" not in str(raised.value)


def test_anothers_model_is_refused(store: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(ModelError, match="other is not an aimonk model"):
        model_package(str(tmp_path / "other"))


def test_a_download_that_breaks_off_is_repeated(
    logged: ModelInfo, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download, calls = mlflow.artifacts.download_artifacts, []

    def broken_twice(**what: str) -> str:
        calls.append(what)
        if len(calls) == 1:
            raise requests.ConnectionError("refused")
        if len(calls) == 2:
            raise MlflowException(
                "The following failures occurred while downloading one or more artifacts from "
                "mlflow-artifacts:/1:\n##### File model.bin #####\nConnection broken: IncompleteRead"
            )
        return str(download(**what))

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", broken_twice)
    assert read_info(model_package(f"runs:/{logged.run_id}/model")) == read_info(package)
    assert len(calls) == 3


def test_a_dead_server_is_not_a_missing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with patience(0), pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:9 cannot be used"):
        model_package("models:/dresses/1")


def test_a_local_folder_needs_no_mlflow(tmp_path: Path) -> None:
    (tmp_path / RECORD).touch()
    code = (
        "import sys\n"
        "from aimonk.tracking.logged_model import model_package\n"
        f"print(model_package({str(tmp_path)!r}).name, 'mlflow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [tmp_path.name, "False"]
