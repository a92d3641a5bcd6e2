from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from aimonk.errors import ModelError, TrackingError
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.record import read_info
from aimonk.tracking.logged_model import log_package, model_package, requirements
from aimonk.tracking.registry import CHAMPION, register, set_alias
from aimonk.tracking.tracked_run import tracked_run

from ..serving.conftest import plain_image

SUFFIXES = {"", ".py", ".json", ".yaml", ".txt", ".xml", ".bin", ".npz"}
RED = plain_image(200, 0, 250)  # logits 1 and -2


@pytest.fixture
def logged(store: MlflowClient, package: Path) -> ModelInfo:
    with tracked_run("dresses"):
        return log_package(package)


def test_a_logged_model_answers_through_pyfunc(logged: ModelInfo) -> None:
    model = mlflow.pyfunc.load_model(logged.model_uri)
    images = pd.DataFrame({"image": pd.Series([RED, b"no image", None], dtype=object)})
    rows = model.predict(images).to_dict(orient="records")
    assert [row["predicted_attributes"] for row in rows] == [["red"], [], []]
    np.testing.assert_allclose(rows[0]["probabilities"], [0.7310586, 0.1192029], atol=1e-6)
    assert [row["error"] for row in rows] == [None, "not an image", "there is no image"]


def test_no_pickle_is_needed(logged: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model = mlflow.pyfunc.load_model(logged.model_uri)
    assert model.predict(pd.DataFrame({"image": [RED]}))["predicted_attributes"][0] == ["red"]
    folder = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} <= SUFFIXES


def test_it_says_what_it_needs_and_takes(logged: ModelInfo) -> None:
    assert requirements() == [
        f"{name}=={version(name)}" for name in ("mlflow", "openvino", "numpy", "pandas", "pillow")
    ]
    folder = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
    assert (folder / "requirements.txt").read_text().split() == requirements()
    assert [(column.name, str(column.type)) for column in logged.signature.inputs] == [
        ("image", "DataType.binary")
    ]
    assert logged.signature.outputs.input_names() == ["predicted_attributes", "probabilities", "error"]
    example = mlflow.models.Model.load(logged.model_uri).load_input_example(str(folder))
    answer = mlflow.pyfunc.load_model(logged.model_uri).predict(example)
    assert answer["error"].tolist() == [None]
    assert len(answer["probabilities"][0]) == 2


def test_a_model_needs_no_installed_aimonk(logged: ModelInfo, tmp_path: Path) -> None:
    folder = mlflow.artifacts.download_artifacts(logged.model_uri)
    code = (
        "import sys, mlflow, pandas as pd\n"
        "class Nowhere:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        assert name.split('.')[0] not in ('aimonk', 'tensorflow', 'keras', 'pyarrow'), name\n"
        "sys.meta_path.insert(0, Nowhere())\n"
        f"model = mlflow.pyfunc.load_model({folder!r})\n"
        f"print(model.predict(pd.DataFrame({{'image': [{RED!r}]}}))['predicted_attributes'][0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "['red']", done.stderr


def test_logging_says_nothing(store: MlflowClient, package: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with tracked_run("dresses"):
        register("dresses", log_package(package), "NO EVIDENCE")
    assert capfd.readouterr() == ("", "")


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


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/absent/1", "models:/absent/1 cannot be fetched"),
        ("models:/absent@champion", "models:/absent@champion cannot be fetched"),
        ("runs:/0123456789abcdef0123456789abcdef/model", "cannot be fetched"),
        ("models:/", "cannot be fetched"),
        ("absent", "There is no model absent; give"),
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


def test_a_dead_server_is_not_a_missing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match=r"http://127\.0\.0\.1:9 cannot be used"):
        model_package("models:/dresses/1")


@contextmanager
def serving(uri: str) -> Iterator[Callable[[str, str], tuple[int, Any]]]:
    """`mlflow models serve` on a free port; yields a function that posts a body of a type to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    server = subprocess.Popen(
        [*command, "-h", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def post(body: str, kind: str = "application/json") -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body.encode(), {"Content-Type": kind}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    try:
        for _ in range(150):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1):
                    break
            except OSError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.2)
        yield post
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


@pytest.mark.slow
def test_a_served_model_answers_as_it_does_in_process(logged: ModelInfo, package: Path) -> None:
    images = [RED, b"no image", plain_image(10, 0, 0, "JPEG", side=64)]
    texts = [base64.b64encode(image).decode() for image in images]
    expected = Predictor(package).predict(images)
    bodies = [
        ({"dataframe_split": {"columns": ["image"], "data": [[text] for text in texts]}}),
        ({"dataframe_records": [{"image": text} for text in texts]}),
        ({"inputs": {"image": texts}}),
        ({"instances": [{"image": text} for text in texts]}),
    ]
    with serving(logged.model_uri) as post:
        for kind, text in [
            *(("application/json", json.dumps(body)) for body in bodies),
            ("text/csv", "image\n" + "\n".join(texts)),
        ]:
            status, answer = post(text, kind)
            assert status == 200, answer
            rows = answer["predictions"]
            assert [row["predicted_attributes"] for row in rows] == [
                list(e.predicted_attributes) for e in expected
            ]
            assert [row["error"] for row in rows] == [None, "not an image", None]
            for row, prediction in zip(rows, expected, strict=True):
                np.testing.assert_allclose(row["probabilities"], prediction.probabilities, atol=1e-4)
        for body in (
            '{"dataframe_records": [{"photo": "aaaa"}]}',
            "{",
            '{"dataframe_records": [{"image": null}]}',
        ):
            status, answer = post(body)
            assert status == 400
            assert "Traceback" not in answer and 'File "' not in answer, answer
        assert post('{"dataframe_split": {"columns": ["image"], "data": []}}') == (200, {"predictions": []})


def test_two_models_in_one_process_each_run_their_own_code(
    store: MlflowClient, package: Path, make_package: Callable[..., Path]
) -> None:
    other = make_package()
    code = other / "code" / "aimonk" / "serving" / "predictor.py"
    code.write_text(code.read_text().replace("probabilities >= self._thresholds", "probabilities >= 0.0"))
    models = []
    for folder in (package, other):
        with tracked_run("dresses"):
            models.append(mlflow.pyfunc.load_model(log_package(folder).model_uri))
    answers = [model.predict(pd.DataFrame({"image": [RED]}))["predicted_attributes"][0] for model in models]
    assert answers == [["red"], ["red", "dark"]]
