from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from aimonk.errors import TrackingError
from aimonk.tracking.store_check import check_store
from aimonk.tracking.tracking_store import open_store


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    listening = HTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_store_that_does_not_exist_yet_is_not_created(tmp_path: Path) -> None:
    assert check_store() == f"{tmp_path / 'mlflow.db'} does not exist yet; the first training creates it"
    assert not (tmp_path / "mlflow.db").exists()


def test_an_existing_store_is_read(tmp_path: Path) -> None:
    open_store("doctor")
    assert check_store() == f"sqlite:///{tmp_path / 'mlflow.db'} can be read"


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database")
    with pytest.raises(TrackingError, match="cannot be used"):
        check_store()


def test_a_server_answers_or_is_said_not_to(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    assert check_store() == f"{server} answers"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{server}/elsewhere")
    with pytest.raises(TrackingError, match=r"does not answer \(Not Found\)"):
        check_store()


def test_a_password_is_neither_shown_nor_in_the_way(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.replace("http://", "http://anna:secret@"))
    assert check_store() == f"{server.replace('http://', 'http://***@')} answers"
