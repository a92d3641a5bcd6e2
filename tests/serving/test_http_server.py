from __future__ import annotations

import base64
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx")

from starlette.testclient import TestClient

from aimonk.errors import AimonkError
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.request_limits import Limits
from aimonk.serving import server_process
from aimonk.serving.http_server import Application
from aimonk.serving.served_model import ServedModel
from tests.conftest import ROOT

from .conftest import plain_image

RED = plain_image(200, 0, 250)  # logits 1 and -2
TEXT = base64.b64encode(RED).decode()
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def predictor(package: Path) -> Iterator[Predictor]:
    with Predictor(package) as predictor:
        yield predictor


@pytest.fixture
def client(predictor: Predictor) -> Iterator[TestClient]:
    with TestClient(
        Application(ServedModel(predictor, "dresses", "3")).app, raise_server_exceptions=False
    ) as client:
        yield client


@pytest.fixture
def small(package: Path) -> Iterator[TestClient]:
    """A server that takes two images and a little more than a megabyte a request."""
    with Predictor(package) as predictor:
        limits = Limits(images_per_request=2, bytes_per_request=1000, images_in_progress=3)
        object.__setattr__(predictor.info, "limits", limits)
        with TestClient(Application(ServedModel(predictor, "dresses", "3")).app) as client:
            yield client


def ask(client: TestClient, cells: list[Any]) -> Any:
    return client.post("/invocations", json={"inputs": {"image": cells}})


def test_the_reply_is_that_of_mlflow_and_names_the_model(client: TestClient) -> None:
    reply = ask(client, [TEXT, None, "a.png"])
    assert reply.status_code == 200
    body = reply.json()
    assert (body["model"], body["version"]) == ("dresses", "3")
    assert (reply.headers["x-model-name"], reply.headers["x-model-version"]) == ("dresses", "3")
    good, missing, path = body["predictions"]
    assert good["predicted_attributes"] == ["red"]
    assert good["scores"] == dict(zip(["red", "dark"], good["probabilities"], strict=True))
    assert good["error"] is None
    assert missing["error"] == "there is no image"
    assert path["error"].startswith("the text is not base64")
    assert list(good) == ["predicted_attributes", "probabilities", "error", "scores"]


def test_an_image_may_come_as_it_is_or_in_a_form(client: TestClient) -> None:
    expected = ask(client, [TEXT]).json()["predictions"]
    raw = client.post("/invocations", content=RED, headers={"Content-Type": "image/png"})
    assert raw.json()["predictions"] == expected
    files = [("a", ("red.png", RED, "image/png")), ("b", ("bad.png", b"no image", "image/png"))]
    first, second = client.post("/invocations", files=files).json()["predictions"]
    assert first == {"image": "red.png", **expected[0]}
    assert (second["image"], second["error"]) == ("bad.png", "not an image")


@pytest.mark.parametrize("cut", [b"--", b"PNG", b"name=", b"Content-"])
def test_a_form_that_is_cut_short_is_refused(client: TestClient, cut: bytes) -> None:
    asked = client.build_request("POST", "/invocations", files={"a": RED, "b": RED})
    body = asked.read()
    body = body[: body.rindex(cut)]
    headers = {"Content-Type": asked.headers["content-type"]}
    began = time.monotonic()
    reply = client.post("/invocations", content=body, headers=headers)
    assert (reply.status_code, "cut short" in reply.json()["message"]) == (400, True)
    assert time.monotonic() - began < 4  # it does not wait for more of a body that was read


def test_nothing_in_a_form_is_ignored(client: TestClient) -> None:
    files = {"a": ("red.png", RED, "image/png")}
    for fields, said in (({"b": TEXT}, "'b' is no file"), ({"explain": "yes"}, "true or false")):
        reply = client.post("/invocations", files=files, data=fields)
        assert (reply.status_code, said in reply.json()["message"]) == (400, True)
    (row,) = client.post("/invocations", files=files, data={"explain": "true"}).json()["predictions"]
    assert [entry["attribute"] for entry in row["explanations"]] == ["red"]
    empty = client.post("/invocations", files={"explain": (None, "true")})
    assert (empty.status_code, "has no file" in empty.json()["message"]) == (400, True)


@pytest.mark.parametrize("query", ["explain=yes", "explain=1", "explained=true", "explain=true&explain=true"])
def test_a_misspelled_query_is_refused(client: TestClient, query: str) -> None:
    reply = client.post(f"/invocations?{query}", content=RED, headers={"Content-Type": "image/png"})
    assert (reply.status_code, "`explain`" in reply.json()["message"]) == (400, True)


def test_explanations_are_asked_for_in_json_or_in_the_address(client: TestClient) -> None:
    asked = {"inputs": {"image": [TEXT, "no"]}, "params": {"explain": True}}
    first, second = client.post("/invocations", json=asked).json()["predictions"]
    assert [entry["attribute"] for entry in first["explanations"]] == ["red"]
    (found,) = first["explanations"]
    total = found["baseline"] + found["elsewhere"] + sum(map(sum, found["contributions"]))
    assert total == pytest.approx(1, abs=1e-3)
    assert second["explanations"] == []
    headers = {"Content-Type": "image/png"}
    raw = client.post("/invocations?explain=true", content=RED, headers=headers)
    assert raw.json()["predictions"] == [first]
    form = client.post("/invocations?explain=true", files=[("a", ("red.png", RED, "image/png"))])
    assert form.json()["predictions"] == [{"image": "red.png", **first}]


def test_a_request_may_ask_for_a_few_explanations(client: TestClient) -> None:
    asked = {"inputs": {"image": [TEXT] * 17}, "params": {"explain": True}}
    reply = client.post("/invocations", json=asked)
    assert reply.status_code == 429
    assert "explanations of 17 images" in reply.json()["message"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"", {"Content-Type": "text/csv"}, 400),
        (b"", {"Content-Type": "text/html"}, 415),
        (b"--x", {"Content-Type": "multipart/form-data"}, 400),
        (iter([b"{}"]), JSON, 411),
    ],
)
def test_a_bad_request_is_refused_without_a_trace(
    client: TestClient, body: Any, headers: dict[str, str], status: int
) -> None:
    reply = client.post("/invocations", content=body, headers=headers)
    assert reply.status_code == status, reply.text
    assert set(reply.json()) == {"error_code", "message"}
    assert "Traceback" not in reply.text and ".py" not in reply.text
    assert reply.headers["x-model-version"] == "3"


def test_a_page_that_is_not_there_is_refused_in_json(client: TestClient) -> None:
    for method, path, status in (("GET", "/invocations", 405), ("POST", "/ping", 405), ("GET", "/docs", 404)):
        reply = client.request(method, path)
        assert (reply.status_code, reply.headers["x-model-name"]) == (status, "dresses")
        assert set(reply.json()) == {"error_code", "message"}
    assert client.get("/invocations").headers["allow"] == "POST"
    assert client.get("/docs").json() == {"error_code": "NOT_FOUND", "message": "Not Found."}


@pytest.mark.parametrize("padding", [0, 300_000])
def test_small_and_large_json_are_answered_alike(client: TestClient, padding: int) -> None:
    body = json.dumps({"inputs": {"image": [TEXT]}, "padding": "x" * padding})
    reply = client.post("/invocations", content=body, headers=JSON)
    assert reply.json()["predictions"] == ask(client, [TEXT]).json()["predictions"]


def test_what_is_too_large_is_refused(small: TestClient) -> None:
    assert ask(small, [TEXT] * 3).status_code == 429
    assert ask(small, ["A" * 4000]).status_code == 429
    assert small.post("/invocations", content=b"x" * (2**20 + 4000), headers=JSON).status_code == 413
    files = [("a", ("a.png", RED, "image/png"))] * 3
    assert small.post("/invocations", files=files).status_code == 400
    assert ask(small, [TEXT] * 2).status_code == 200


def test_two_million_empty_rows_are_refused_before_any_is_looked_at(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    monkeypatch.setattr(Predictor, "stream", lambda self, images: looked.append(images))
    body = json.dumps({"dataframe_split": {"columns": ["image"], "data": [[""]] * 2_000_000}})
    reply = client.post("/invocations", content=body, headers=JSON)
    assert reply.status_code == 429
    assert "2,000,000 rows" in reply.json()["message"]
    assert not looked


def test_a_full_server_refuses_and_recovers(
    client: TestClient, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, release = threading.Event(), threading.Event()
    stream = Predictor.stream

    def slow(self: Predictor, images: Any) -> Any:
        entered.set()
        release.wait(30)
        return stream(self, images)

    monkeypatch.setattr(Predictor, "stream", slow)
    cells = [""] * 1024
    replies: list[int] = []
    threads = [threading.Thread(target=lambda: replies.append(ask(client, cells).status_code)) for _ in "ab"]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    deadline = time.monotonic() + 10
    while (status := ask(client, [TEXT]).status_code) != 503 and time.monotonic() < deadline:
        time.sleep(0.05)  # until the second one has been let in
    assert status == 503
    assert client.get("/ping").status_code == 200
    release.set()
    for thread in threads:
        thread.join()
    assert replies == [200, 200]
    assert ask(client, [TEXT]).status_code == 200


def test_a_failure_inside_shows_no_trace(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(Predictor, "predict", fail)
    reply = ask(client, [TEXT])
    assert reply.status_code == 500
    assert reply.json()["message"] == "The model failed: RuntimeError."


def test_it_tells_prometheus_what_it_does(client: TestClient) -> None:
    ask(client, [TEXT, None])
    client.post("/invocations", content=b"{", headers=JSON)
    text = client.get("/metrics").text
    assert 'aimonk_model_info{name="dresses",version="3"} 1.0' in text
    assert 'aimonk_requests_total{status="200"} 1.0' in text
    assert 'aimonk_requests_total{status="400"} 1.0' in text
    assert 'aimonk_images_total{outcome="answered"} 1.0' in text
    assert 'aimonk_images_total{outcome="unreadable"} 1.0' in text
    assert "aimonk_requests_in_progress 0.0" in text


def test_the_model_tells_what_it_knows(client: TestClient) -> None:
    found = client.get("/model").json()
    assert [(one["name"], one["verdict"]) for one in found["attributes"]] == [
        ("red", "learned"),
        ("dark", None),
    ]


def test_a_server_that_ends_is_not_ready(predictor: Predictor) -> None:
    application = Application(ServedModel(predictor, "dresses", "3"))
    with TestClient(application.app) as client:
        assert client.get("/ready").status_code == 200
        application.drain()
        assert client.get("/ready").status_code == 503
        assert client.get("/ping").status_code == 200
        reply = ask(client, [TEXT])
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")


def test_an_answer_that_takes_too_long_is_given_up(predictor: Predictor) -> None:
    application = Application(ServedModel(predictor, "dresses", "3"))
    with TestClient(application.app) as client:
        application.give_up()
        reply = ask(client, [TEXT])
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
        assert "shutting down" in reply.json()["message"]
    assert not application.is_busy()


def test_a_port_in_use_is_named(package: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AimonkError, match=rf"port {port} \(Address already in use\); name another"):
            server_process.serve(str(package), port=port)


@pytest.mark.slow
def test_a_busy_server_ends_soon_after_sigterm(package: Path) -> None:
    """Until then it tells balancers that it is not ready; who waits longer gets a reply all the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aimonk", "serve", "--model", str(package), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1)
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        large = base64.b64encode(plain_image(0, 0, 0, "PNG", side=3000)).decode()
        body = json.dumps({"inputs": {"image": [large] * 1000}}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, JSON)

        replies = []

        def ask_much() -> None:
            try:
                replies.append(urllib.request.urlopen(request, timeout=60).status)
            except urllib.error.HTTPError as error:
                replies.append((error.code, json.loads(error.read())["error_code"]))

        asking = threading.Thread(target=ask_much)
        asking.start()
        time.sleep(1.5)
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5)
        _, said = server.communicate(timeout=20)
        assert time.monotonic() - began < 10
        asking.join()
        assert replies == [(503, "TEMPORARILY_UNAVAILABLE")]
        assert "Traceback" not in said
    finally:
        server.kill()


def test_garbage_of_requests_is_looked_for_often() -> None:
    """The command line looks for it rarely while libraries are imported; errors hold unpacked images."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        server_process._look_for_garbage_often()
        assert gc.get_threshold() == (700, 10, 10)
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
