# ruff: noqa: F811  (pytest's fixtures are imported, and are parameters too)
from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
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

from aimonk.runtime.predictor import Predictor
from aimonk.serving.log_package import log_package
from aimonk.serving.serving_environment import pinned_environment, requirements
from aimonk.spark import spark_session
from aimonk.tracking.registry import register
from aimonk.tracking.tracked_run import tracked_run

from ..tracking.conftest import empty_store, store  # noqa: F401
from .conftest import plain_image

SUFFIXES = {"", ".py", ".json", ".yaml", ".txt", ".xml", ".bin", ".npz", ".md"}
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


def test_it_explains_if_it_is_asked(logged: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("httpx")
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")  # MLflow's server sets it for good
    from mlflow.pyfunc import scoring_server
    from starlette.testclient import TestClient

    model = mlflow.pyfunc.load_model(logged.model_uri)
    images = pd.DataFrame({"image": [RED]})
    assert "explanations" not in model.predict(images)
    ((found,),) = model.predict(images, params={"explain": True})["explanations"]
    assert (found["attribute"], round(found["logit"], 3)) == ("red", 1.0)
    asked = {"inputs": {"image": [base64.b64encode(RED).decode()]}, "params": {"explain": True}}
    client = TestClient(scoring_server.init(model))
    (answer,) = client.post("/invocations", json=asked).json()["predictions"]
    assert answer["explanations"] == [found]
    asked["params"] = {"explain": "perhaps"}
    assert client.post("/invocations", json=asked).status_code == 400


def test_no_pickle_is_needed(logged: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model = mlflow.pyfunc.load_model(logged.model_uri)
    assert model.predict(pd.DataFrame({"image": [RED]}))["predicted_attributes"][0] == ["red"]
    folder = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} <= SUFFIXES


def test_it_says_what_it_needs_and_takes(logged: ModelInfo) -> None:
    assert requirements() == [
        f"{name}=={version(name)}"
        for name in ("mlflow", "openvino", "numpy", "pandas", "pillow", "pillow-heif")
    ]
    folder = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
    assert (folder / "requirements.txt").read_text().split()[: len(requirements())] == requirements()
    assert (folder / "constraints.txt").read_text().split() == pinned_environment()
    assert [(column.name, str(column.type)) for column in logged.signature.inputs] == [
        ("image", "DataType.string")
    ]
    names = ["predicted_attributes", "probabilities", "error", "scores"]
    assert logged.signature.outputs.input_names() == names
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


@contextmanager
def served(uri: str) -> Iterator[Callable[..., tuple[int, Any]]]:
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


def rows_of(answer: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = answer["predictions"]
    assert all(list(row) == ["predicted_attributes", "probabilities", "error", "scores"] for row in rows)
    return rows


def in_every_form(cells: list[Any]) -> list[tuple[str, str]]:
    """(content type, body) of each way to send a column over HTTP."""
    bodies = (
        {"dataframe_split": {"columns": ["image"], "data": [[cell] for cell in cells]}},
        {"dataframe_records": [{"image": cell} for cell in cells]},
        {"inputs": {"image": cells}},
        {"instances": [{"image": cell} for cell in cells]},
    )
    lines = "\n".join("" if cell is None else str(cell).strip() for cell in cells)
    table = "number,image\n" + "\n".join(f"{number},{line}" for number, line in enumerate(lines.split("\n")))
    return [*(("application/json", json.dumps(body)) for body in bodies), ("text/csv", table)]


@pytest.mark.slow
def test_a_served_model_answers_as_it_does_in_process(logged: ModelInfo, package: Path) -> None:
    images = [RED, b"no image", plain_image(10, 0, 0, "JPEG", side=64)]
    texts = [base64.b64encode(image).decode() for image in images]
    url_safe = base64.urlsafe_b64encode(RED).decode().rstrip("=")
    uri = f"data:image/png;base64,{texts[0]}"
    odd = [texts[0], None, url_safe, uri, 7, "/etc/passwd", " ", "a.png"]
    expected = Predictor(package).predict(images)
    with served(logged.model_uri) as post:
        for kind, body in in_every_form(texts):
            status, answer = post(body, kind)
            assert status == 200, answer
            for row, prediction in zip(rows_of(answer), expected, strict=True):
                assert row["predicted_attributes"] == list(prediction.predicted_attributes)
                assert row["error"] == prediction.error
                np.testing.assert_allclose(row["probabilities"], prediction.probabilities, atol=1e-4)
                assert list(row["scores"].values()) == row["probabilities"]
        for kind, body in in_every_form(odd):
            if kind == "text/csv":  # a comma ends a cell
                body = body.replace(uri, f'"{uri}"')
            status, answer = post(body, kind)
            assert status == 200, answer
            found = rows_of(answer)
            assert [row["error"] is None for row in found] == [True, False, True, True, *[False] * 4], body[
                :40
            ]
            assert found[1]["error"] == found[6]["error"] == "there is no image"
            assert {row["scores"]["red"] for row in found if not row["error"]} == {found[0]["scores"]["red"]}
        for body in ('{"dataframe_records": [{"photo": "aaaa"}]}', "{"):
            status, answer = post(body)
            assert status == 400
            assert "Traceback" not in answer and 'File "' not in answer, answer
        assert post('{"dataframe_split": {"columns": ["image"], "data": []}}') == (200, {"predictions": []})
        many = json.dumps({"dataframe_split": {"columns": ["image"], "data": [[""]] * 1025}})
        status, answer = post(many)
        assert status == 429, answer
        assert "1,025 rows, more than the 1,024" in answer
        began = time.monotonic()
        assert post("image\n" + "a\n" * 2_000_000, "text/csv")[0] == 429
        assert time.monotonic() - began < 20


@pytest.mark.slow
def test_a_users_own_spark_udf_keeps_nulls_and_names(logged: ModelInfo, master: str) -> None:
    from pyspark.sql import functions as F

    cells = [bytearray(RED), None, bytearray(b"no image")]
    texts = [base64.b64encode(RED).decode(), None, "/a/path.png"]
    with spark_session(master, "test") as spark:
        table = spark.createDataFrame(
            [(number, *pair) for number, pair in enumerate(zip(cells, texts, strict=True))],
            "number int, image binary, text string",
        ).coalesce(1)
        udf = mlflow.pyfunc.spark_udf(spark, logged.model_uri, env_manager="local")
        for call in (
            udf("image"),
            udf(F.struct("image")),
            udf("text"),
            udf(F.struct(F.col("text").alias("image"))),
        ):
            rows = [row.a for row in table.orderBy("number").select(call.alias("a")).collect()]
            assert [row.error is None for row in rows] == [True, False, False]
            assert rows[1].error == "there is no image"
            assert list(rows[0].scores) == ["red", "dark"]
            assert rows[0].predicted_attributes == ["red"]
            assert rows[1].scores == {}


@pytest.mark.slow
def test_a_busy_server_ends_soon_after_sigterm(logged: ModelInfo) -> None:
    large = base64.b64encode(plain_image(0, 0, 0, "PNG", side=3000)).decode()
    body = json.dumps({"inputs": {"image": [large] * 1000}})
    statuses: list[int] = []

    def ask(post: Callable[[str], tuple[int, Any]]) -> None:
        with contextlib.suppress(OSError):
            statuses.append(post(body)[0])

    with served(logged.model_uri) as post:
        asking = threading.Thread(target=ask, args=(post,))
        asking.start()
        time.sleep(2)
        assert not statuses, "the request was answered before the server was ended"
        began = time.monotonic()
    assert time.monotonic() - began < 10
    asking.join()
    assert statuses in ([], [503])
