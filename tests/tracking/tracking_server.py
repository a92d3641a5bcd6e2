"""Real tracking servers to kill, freeze and log in to."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

START_SECONDS = 120.0
PASSWORD = "a-long-password-1"

_AUTH = """[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/users.db
admin_username = admin
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class TrackingServer:
    """`mlflow server` with proxied artifacts, in a process group of its own."""

    def __init__(self, folder: Path, backend: str = "", auth: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        store = backend or f"sqlite:///{folder / 'server.db'}"
        self._command = [
            *(sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store),
            *("--artifacts-destination", str(folder / "artifacts"), "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *(("--app-name", "basic-auth") if auth else ()),
        ]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")},
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for tests",
        }
        if auth:
            # Without the app the variable would break every search for runs, which reads the file it names.
            self._environment["MLFLOW_AUTH_CONFIG_PATH"] = str(folder / "auth.ini")
            (folder / "auth.ini").write_text(_AUTH.format(folder=folder, password=PASSWORD))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "server.txt").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if requests.get(f"{self.uri}/health", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError((self.folder / "server.txt").read_text())

    def signal(self, number: int) -> None:
        """Send a signal to the server and its workers; SIGSTOP freezes it, SIGCONT thaws it."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """End it without notice."""
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def as_user(self, name: str) -> str:
        """The address with credentials in it."""
        return f"http://{name}:{PASSWORD}@127.0.0.1:{self.port}"


@contextmanager
def running(folder: Path, backend: str = "", auth: bool = False) -> Iterator[TrackingServer]:
    server = TrackingServer(folder, backend, auth)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def postgres_tools() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    named = found[-1] if found else shutil.which("initdb")
    return Path(named).parent if named else None


@contextmanager
def postgres() -> Iterator[str]:
    """The URI of a PostgreSQL that runs here, as another user where this is root's process."""
    tools = postgres_tools()
    assert tools is not None
    root = os.getuid() == 0
    user = "postgres" if root else None
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if root:
        entry = pwd.getpwnam("postgres")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data, port = folder / "data", free_port()

    def tool(name: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(tools / name), *arguments], user=user, cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    try:
        tool("initdb", "-D", str(data), "-U", "mlflow", "--auth=trust")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        tool("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log.txt"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg2://mlflow:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            tool("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
