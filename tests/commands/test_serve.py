from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from aimonk.commands.serve import serve
from aimonk.errors import AimonkError, ModelError
from tests.conftest import ROOT


def test_a_missing_extra_is_named(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("server_process", "http_server", "server_metrics"):
        monkeypatch.delitem(sys.modules, f"aimonk.serving.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)  # as if it were not there
    with pytest.raises(AimonkError, match=r"prometheus_client.*aimonk\[server\]"):
        serve(str(package))


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="There is no model nowhere"):
        serve("nowhere")


def test_the_command_says_when_it_is_ready_and_ends_when_asked(package: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aimonk", "serve", "--model", str(package), "--port", str(port)]
    log = tmp_path / "log.txt"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=tmp_path, stderr=file, env=environment)
    try:
        deadline = time.monotonic() + 60
        while "Serving" not in log.read_text():
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        address = f"http://127.0.0.1:{port}"
        assert log.read_text().startswith("Serving colors ") and address in log.read_text()
        model = json.load(urllib.request.urlopen(f"{address}/model", timeout=10))
        assert model["model"] == "colors"
        taken = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert taken.returncode == 2
        assert (
            f"cannot listen at 127.0.0.1, port {port} (Address already in use); name another" in taken.stderr
        )
        assert "ERROR" not in taken.stderr
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=15) in (0, -signal.SIGTERM)
    finally:
        server.kill()
