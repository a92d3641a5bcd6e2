"""nginx with `deploy/nginx.conf` before a server of a model."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.served import free_port

ALICE = ("alice", "secret")
"""Who may ask."""


@dataclass(frozen=True)
class Proxy:
    """nginx that answers at https://localhost."""

    port: int
    certificate: Path

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"


@contextmanager
def proxied(folder: Path, model_port: int, changes: Mapping[str, str]) -> Iterator[Proxy]:
    """Start nginx with the configuration, `changes` made in it; ended in any case.

    Other users must be able to enter `folder`: started as root, nginx gives up its rights.
    """
    nginx = needed("nginx")
    certificate = _write_secrets(folder)
    (folder / "temp").mkdir()
    port = free_port()
    ports = {"127.0.0.1:8000": f"127.0.0.1:{model_port}", "listen 8443": f"listen 127.0.0.1:{port}"}
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in {**changes, **ports}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    log = folder / "nginx.log"
    command = [nginx, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        _wait_for_port(port, process, log)
        yield Proxy(port, certificate)
    finally:
        process.terminate()
        process.wait(timeout=20)


def needed(program: str) -> str:
    """Where it is installed; skips the test elsewhere, unless nothing may be skipped."""
    found = shutil.which(program, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if not found:
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    return found


def _write_secrets(folder: Path) -> Path:
    """Write key, certificate and Alice's password; return the certificate."""
    openssl, certificate = needed("openssl"), folder / "tls.crt"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    keys = ("-keyout", str(folder / "tls.key"), "-out", str(certificate))
    new = (openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run([*new, *keys, *subject], check=True, capture_output=True)
    secret = subprocess.run(
        [openssl, "passwd", "-apr1", ALICE[1]], check=True, capture_output=True, text=True
    )
    (folder / "users.htpasswd").write_text(f"{ALICE[0]}:{secret.stdout}")
    return certificate


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
