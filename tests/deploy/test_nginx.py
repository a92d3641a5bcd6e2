"""`deploy/nginx.conf` before a real server: what it adds, and that it changes nothing else."""

# ruff: noqa: F811  (pytest's fixtures are imported, and are parameters too)
from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT
from tests.served import Running, free_port, serving

from ..serving.conftest import plain_image

pytestmark = pytest.mark.slow

ALICE = ("alice", "secret")
RED = plain_image(200, 0, 250)
ASKED = {"inputs": {"image": [base64.b64encode(RED).decode(), None]}}
QUICKER = {
    "client_max_body_size 176m": "client_max_body_size 2m",
    "client_body_timeout 10s": "client_body_timeout 1s",
    "proxy_read_timeout 60s": "proxy_read_timeout 2s",
}
"""What is tested with smaller figures, so that the tests end soon."""


@dataclass(frozen=True)
class Proxy:
    port: int
    certificate: Path
    model: Running

    def ask(self, path: str = "/invocations", **more: object) -> requests.Response:
        options: dict[str, object] = {"auth": ALICE, "json": ASKED, "verify": str(self.certificate), **more}
        return requests.post(f"https://localhost:{self.port}{path}", timeout=30, **options)  # type: ignore[arg-type]

    def get(self, path: str, **more: object) -> requests.Response:
        url = f"https://localhost:{self.port}{path}"
        return requests.get(url, timeout=30, verify=str(self.certificate), **more)  # type: ignore[arg-type]


def needed(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if not found:
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    return found


def configured(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def proxy(open_folder: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    nginx, openssl = needed("nginx"), needed("openssl")
    certificate = open_folder / "tls.crt"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    keys = ("-keyout", str(open_folder / "tls.key"), "-out", str(certificate))
    new = (openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run([*new, *keys, *subject], check=True, capture_output=True)
    secret = subprocess.run(
        [openssl, "passwd", "-apr1", ALICE[1]], check=True, capture_output=True, text=True
    )
    (open_folder / "users.htpasswd").write_text(f"{ALICE[0]}:{secret.stdout}")
    (open_folder / "temp").mkdir()
    with serving("aimonk", package, tmp_path_factory.mktemp("server")) as model:
        port = free_port()
        changes = {"127.0.0.1:8000": f"127.0.0.1:{model.port}", "listen 8443": f"listen 127.0.0.1:{port}"}
        text = configured((ROOT / "deploy" / "nginx.conf").read_text(), {**QUICKER, **changes})
        (open_folder / "nginx.conf").write_text(text)
        log = open_folder / "nginx.log"
        command = [nginx, "-p", str(open_folder), "-c", "nginx.conf", "-g", "daemon off;"]
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            wait_for_port(port, process, log)
            yield Proxy(port, certificate, model)
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def test_the_reply_is_that_of_the_server(proxy: Proxy) -> None:
    through = proxy.ask()
    direct = requests.post(f"{proxy.model.address}/invocations", json=ASKED, timeout=30)
    assert through.status_code == direct.status_code == 200
    assert through.json() == direct.json()
    assert through.headers["x-model-name"] == "colors"
    assert [row["error"] for row in through.json()["predictions"]] == [None, "there is no image"]
    assert proxy.get("/model", auth=ALICE).json()["model"] == "colors"


def test_a_refusal_of_the_server_is_passed_on(proxy: Proxy) -> None:
    reply = proxy.ask(json={"photos": []})
    assert reply.status_code == 400
    assert "exactly one of the keys" in reply.json()["message"]
    assert proxy.ask(json={"inputs": {"image": [""] * 1025}}).status_code == 429


@pytest.mark.parametrize("auth", [None, ("alice", "wrong"), ("bob", "secret")])
def test_who_is_not_known_is_not_answered(proxy: Proxy, auth: tuple[str, str] | None) -> None:
    reply = proxy.ask(auth=auth)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="model"'
    assert reply.json()["error_code"] == "UNAUTHENTICATED"
    assert proxy.get("/model").status_code == 401


def test_health_needs_no_password_and_metrics_stay_inside(proxy: Proxy) -> None:
    assert proxy.get("/ping").status_code == 200
    assert proxy.get("/metrics", auth=ALICE).status_code == 404
    assert proxy.get("/invocations", auth=ALICE).status_code == 405


def test_a_body_beyond_the_limit_is_refused(proxy: Proxy) -> None:
    reply = proxy.ask(json={"inputs": {"image": ["A" * (3 * 2**20)]}})
    assert reply.status_code == 413
    assert "too large" in reply.json()["message"]


def test_nothing_goes_unencrypted(proxy: Proxy) -> None:
    reply = requests.post(f"http://127.0.0.1:{proxy.port}/invocations", json=ASKED, auth=ALICE, timeout=30)
    assert reply.status_code == 400
    assert "predictions" not in reply.text


def test_a_client_that_stops_sending_is_cut_off(proxy: Proxy) -> None:
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    password = base64.b64encode(b":".join(part.encode() for part in ALICE)).decode()
    head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {password}\r\n"
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode())
        began = time.monotonic()
        assert b"200" not in client.recv(100)  # empty: the connection was closed
        assert time.monotonic() - began < 10


def test_a_server_that_hangs_is_answered_for(proxy: Proxy) -> None:
    os.kill(proxy.model.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        reply = proxy.ask()
        assert time.monotonic() - began < 15
    finally:
        os.kill(proxy.model.process.pid, signal.SIGCONT)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
    assert reply.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert proxy.ask().status_code == 200


def test_too_many_requests_are_refused(proxy: Proxy) -> None:
    with requests.Session() as session:
        session.auth = ALICE
        url, known = f"https://localhost:{proxy.port}/invocations", str(proxy.certificate)
        empty = {"inputs": {"image": list[str]()}}
        replies = [session.post(url, json=empty, timeout=30, verify=known) for _ in range(250)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert refused, "250 requests in a few seconds were all answered"
    assert {reply.status_code for reply in replies} == {200, 429}
    assert refused[0].json()["error_code"] == "RESOURCE_EXHAUSTED"
    assert refused[0].headers["retry-after"] == "2"
    time.sleep(0.5)
    assert proxy.ask().status_code == 200
