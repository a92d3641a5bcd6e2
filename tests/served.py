"""Servers of a model in processes of their own, for tests that ask over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

COMMANDS = {
    "aimonk": ["-m", "aimonk", "serve"],
    "mlflow": ["-m", "mlflow", "models", "serve", "--env-manager", "local"],
}


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(kind: str, model: object, folder: Path) -> Iterator[Running]:
    """`aimonk serve` or `mlflow models serve`, with its log in `folder`; ended in any case."""
    port = free_port()
    command = [sys.executable, *COMMANDS[kind], "--model", str(model), "--port", str(port)]
    if kind == "mlflow":
        command[command.index("--model")] = "--model-uri"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    log = folder / f"{kind}.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        running = Running(process, port, log)
        wait_for(f"{running.address}/ping", process, log)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `url` answers; fail with the log if the process ends before."""
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
