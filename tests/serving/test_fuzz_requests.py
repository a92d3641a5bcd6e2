"""Requests that nobody would send on purpose, to MLflow's application and to ours, both in this process."""

# ruff: noqa: F811  (pytest's fixtures are imported, and are parameters too)
from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("httpx")
from mlflow.pyfunc import scoring_server
from mlflow.tracking import MlflowClient
from starlette.testclient import TestClient

from aimonk.runtime.predictor import Predictor
from aimonk.serving.http_server import Application
from aimonk.serving.log_package import log_package
from aimonk.serving.served_model import ServedModel
from aimonk.tracking.tracked_run import tracked_run

from ..tracking.conftest import empty_store, store  # noqa: F401
from .conftest import plain_image

RED = plain_image(200, 0, 250)
GOOD = json.dumps({"inputs": {"image": [base64.b64encode(RED).decode()]}})
TRACE = re.compile(r'Traceback \(most recent|site-packages|File \\?"')
FUZZ = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """A photo in some format, with bytes changed and perhaps cut off."""
    kind = draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"]))
    content = bytearray(plain_image(200, 0, 250, kind))
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=6)):
        content[place % len(content)] = byte
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
TEXTS = st.builds(lambda image: base64.b64encode(image).decode(), images())
CELLS = (
    TEXTS
    | SCALARS
    | st.lists(SCALARS, max_size=2)
    | st.dictionaries(st.text(max_size=5), SCALARS, max_size=2)
)
TABLES = st.lists(CELLS, max_size=4).flatmap(
    lambda cells: st.sampled_from(
        [
            {"dataframe_split": {"columns": ["image"], "data": [[cell] for cell in cells]}},
            {"dataframe_records": [{"image": cell} for cell in cells]},
            {"inputs": {"image": cells}},
            {"instances": [{"image": cell} for cell in cells]},
            {"inputs": cells},
            {"dataframe_split": {"columns": ["image", "image"], "data": cells}},
            {"dataframe_split": cells, "inputs": cells},
        ]
    )
)
JSONS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
BODIES = (TABLES | JSONS).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60) | images()
TYPES = st.sampled_from(
    [
        "application/json",
        "text/csv",
        "image/png",
        "application/octet-stream",
        "multipart/form-data; boundary=x",
    ]
)


@pytest.fixture(scope="module")
def own(package: Path) -> Iterator[TestClient]:
    with Predictor(package, served=True) as predictor:
        app = Application(ServedModel(predictor, "dresses", "3")).app
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def theirs(store: MlflowClient, package: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")
    with tracked_run("dresses"):
        logged = log_package(package)
    app = scoring_server.init(mlflow.pyfunc.load_model(logged.model_uri))
    return TestClient(app, raise_server_exceptions=False)


def answer(client: TestClient) -> object:
    reply = client.post("/invocations", content=GOOD, headers={"Content-Type": "application/json"})
    return reply.json()["predictions"]


@FUZZ
@given(body=BODIES, kind=TYPES)
def test_our_server_answers_anything(own: TestClient, body: bytes, kind: str) -> None:
    before = answer(own)
    reply = own.post("/invocations", content=body, headers={"Content-Type": kind})
    assert reply.status_code in (200, 400, 413, 415, 429), reply.text
    assert not TRACE.search(reply.text)
    if reply.status_code != 200:
        assert set(reply.json()) == {"error_code", "message"}
    assert answer(own) == before


@pytest.mark.slow
def test_mlflows_server_answers_any_table(theirs: TestClient) -> None:
    before = answer(theirs)

    @FUZZ
    @given(body=TABLES.map(lambda value: json.dumps(value).encode()))
    def ask(body: bytes) -> None:
        reply = theirs.post("/invocations", content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code in (200, 400, 429), reply.text
        assert not (TRACE.search(reply.text) and "aimonk" in reply.text), reply.text
        assert answer(theirs) == before

    ask()
