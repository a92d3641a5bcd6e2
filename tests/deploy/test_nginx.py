"""`deploy/nginx.conf` before a real server: what it adds, and that it changes nothing else."""

# ruff: noqa: F811  (pytest's fixtures are imported, and are parameters too)
from __future__ import annotations

import base64
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.served import Running, serving

from ..serving.conftest import plain_image
from .nginx_proxy import ALICE, Proxy, proxied

pytestmark = pytest.mark.slow

RED = plain_image(200, 0, 250)
ASKED = {"inputs": {"image": [base64.b64encode(RED).decode(), None]}}
QUICKER = {
    "client_max_body_size 176m": "client_max_body_size 2m",
    "client_body_timeout 10s": "client_body_timeout 1s",
    "proxy_read_timeout 60s": "proxy_read_timeout 2s",
    "rate=20r/s": "rate=4r/s",
}
"""What is tested with smaller figures, so that the tests end soon, also on a busy machine."""


@dataclass(frozen=True)
class Front:
    """The proxy, and the server behind it."""

    proxy: Proxy
    model: Running

    def ask(self, path: str = "/invocations", **more: object) -> requests.Response:
        known = str(self.proxy.certificate)
        options: dict[str, object] = {"auth": ALICE, "json": ASKED, "verify": known, **more}
        return requests.post(f"{self.proxy.address}{path}", timeout=30, **options)  # type: ignore[arg-type]

    def get(self, path: str, **more: object) -> requests.Response:
        known = str(self.proxy.certificate)
        return requests.get(f"{self.proxy.address}{path}", timeout=30, verify=known, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def front(open_folder: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with (
        serving("aimonk", package, tmp_path_factory.mktemp("server")) as model,
        proxied(open_folder, model.port, QUICKER) as proxy,
    ):
        yield Front(proxy, model)


def test_the_reply_is_that_of_the_server(front: Front) -> None:
    through = front.ask()
    direct = requests.post(f"{front.model.address}/invocations", json=ASKED, timeout=30)
    assert through.status_code == direct.status_code == 200
    assert through.json() == direct.json()
    assert through.headers["x-model-name"] == "colors"
    assert [row["error"] for row in through.json()["predictions"]] == [None, "there is no image"]
    assert front.get("/model", auth=ALICE).json()["model"] == "colors"


def test_a_refusal_of_the_server_is_passed_on(front: Front) -> None:
    reply = front.ask(json={"photos": []})
    assert reply.status_code == 400
    assert "exactly one of the keys" in reply.json()["message"]
    assert front.ask(json={"inputs": {"image": [""] * 1025}}).status_code == 429


@pytest.mark.parametrize("auth", [None, ("alice", "wrong"), ("bob", "secret")])
def test_who_is_not_known_is_not_answered(front: Front, auth: tuple[str, str] | None) -> None:
    reply = front.ask(auth=auth)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="model"'
    assert reply.json()["error_code"] == "UNAUTHENTICATED"
    assert front.get("/model").status_code == 401


def test_health_needs_no_password_and_metrics_stay_inside(front: Front) -> None:
    assert front.get("/ping").status_code == 200
    assert front.get("/metrics", auth=ALICE).status_code == 404
    assert front.get("/invocations", auth=ALICE).status_code == 405


def test_a_body_beyond_the_limit_is_refused(front: Front) -> None:
    reply = front.ask(json={"inputs": {"image": ["A" * (3 * 2**20)]}})
    assert reply.status_code == 413
    assert "too large" in reply.json()["message"]


def test_nothing_goes_unencrypted(front: Front) -> None:
    reply = requests.post(
        f"http://127.0.0.1:{front.proxy.port}/invocations", json=ASKED, auth=ALICE, timeout=30
    )
    assert reply.status_code == 400
    assert "predictions" not in reply.text


def test_a_client_that_stops_sending_is_cut_off(front: Front) -> None:
    context = ssl.create_default_context(cafile=str(front.proxy.certificate))
    password = base64.b64encode(b":".join(part.encode() for part in ALICE)).decode()
    head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {password}\r\n"
    with (
        socket.create_connection(("127.0.0.1", front.proxy.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode())
        began = time.monotonic()
        assert b"200" not in client.recv(100)  # empty: the connection was closed
        assert time.monotonic() - began < 10


def test_a_server_that_hangs_is_answered_for(front: Front) -> None:
    os.kill(front.model.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        reply = front.ask()
        assert time.monotonic() - began < 15
    finally:
        os.kill(front.model.process.pid, signal.SIGCONT)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
    assert reply.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert front.ask().status_code == 200


def test_too_many_requests_are_refused(front: Front) -> None:
    with requests.Session() as session:
        session.auth = ALICE
        url, known = f"{front.proxy.address}/invocations", str(front.proxy.certificate)
        empty = {"inputs": {"image": list[str]()}}
        replies = [session.post(url, json=empty, timeout=30, verify=known) for _ in range(250)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert refused, "250 requests in less than a minute were all answered"
    assert {reply.status_code for reply in replies} == {200, 429}
    assert refused[0].json()["error_code"] == "RESOURCE_EXHAUSTED"
    assert refused[0].headers["retry-after"] == "2"
    time.sleep(0.5)
    assert front.ask().status_code == 200
