"""`mlflow models serve`, or aimonk's own server, in a process of its own, asked and watched."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import requests
from trials import Place

DEADLINE = 120.0
"""Seconds within which a server must be ready."""


COMMANDS = {
    "mlflow": ["-m", "mlflow", "models", "serve", "--env-manager", "local", "-m", "{model}", "-p", "{port}"],
    "aimonk": ["-m", "aimonk", "serve", "--model", "{model}", "--port", "{port}"],
}


class Server:
    """A server of one model."""

    def __init__(self, place: Place, model: str, kind: str = "mlflow") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.port, self.address = port, f"http://127.0.0.1:{port}"
        began = time.perf_counter()
        places = {"{model}": model, "{port}": str(port)}
        command = [places.get(word, word) for word in COMMANDS[kind]]
        with (place.folder / "server.txt").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=place.folder,
                env=place.environment,
                stdout=log,
                stderr=log,
            )
        self._session = requests.Session()
        self.ready = self._wait() - began
        self._connection = http.client.HTTPConnection(f"127.0.0.1:{port}", timeout=60)

    def _wait(self) -> float:
        deadline = time.perf_counter() + DEADLINE
        while time.perf_counter() < deadline and self._process.poll() is None:
            try:
                if self._session.get(f"{self.address}/ping", timeout=5).ok:
                    return time.perf_counter()
            except requests.ConnectionError:
                time.sleep(0.02)
        self.stop()
        raise SystemExit("The server did not start.")

    def ask(self, body: bytes, kind: str = "application/json") -> float:
        """Seconds until the whole reply is there."""
        began = time.perf_counter()
        self._connection.request("POST", "/invocations", body, {"Content-Type": kind})
        reply = self._connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise SystemExit(f"The server answered {reply.status}: {text[:300]!r}")
        json.loads(text)
        return time.perf_counter() - began

    def memory(self) -> float:
        """Resident memory of all its processes, MB."""
        parent = psutil.Process(self._process.pid)
        family = [parent, *parent.children(recursive=True)]
        return float(sum(process.memory_info().rss for process in family) / 2**20)

    def stop(self) -> None:
        """End all its processes."""
        try:
            parent = psutil.Process(self._process.pid)
        except psutil.NoSuchProcess:
            return
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            process.terminate()
        _, stubborn = psutil.wait_procs(family, timeout=10)
        for process in stubborn:
            process.kill()
        self._process.wait()


@contextmanager
def serving(place: Place, model: str, kind: str = "mlflow") -> Iterator[Server]:
    """A server that is ended in any case."""
    server = Server(place, model, kind)
    try:
        yield server
    finally:
        server.stop()
