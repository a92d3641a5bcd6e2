"""`deploy/Dockerfile`: linted, and its steps carried out without Docker up to an answer."""

# ruff: noqa: F811  (pytest's fixtures are imported, and are parameters too)
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.served import free_port, wait_for

from ..serving.conftest import plain_image
from .dockerfile import Image, build, steps

TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
RED = plain_image(200, 0, 250)


def test_hadolint_finds_nothing() -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        pytest.skip("hadolint is not installed")
    done = subprocess.run([program, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_is_slim_and_not_root() -> None:
    found = dict(steps(TEXT))
    assert "slim" in found["FROM"]
    user, group = map(int, found["USER"].split(":"))
    assert user > 0 and group > 0
    words = {word for _, rest in steps(TEXT) for word in rest.split()}
    assert not {"java", "conda", "apt-get", "tensorflow"} & words


@pytest.fixture
def context(package: Path, open_folder: Path) -> Path:
    """The folder that the Dockerfile's first lines prepare: a downloaded version, and aimonk as a wheel."""
    context = open_folder / "image"
    shutil.copytree(package, context / "model" / "artifacts" / "package")
    (context / "model" / "registered_model_meta").write_text("model_name: dresses\nmodel_version: '3'\n")
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(context), "."]
    subprocess.run(wheel, cwd=ROOT, check=True)
    return context


@pytest.mark.slow
def test_the_steps_lead_to_a_server_that_answers(context: Path, open_folder: Path) -> None:
    image = build(TEXT, context, open_folder / "root")
    assert image.base == "python:3.11-slim-bookworm"
    installed = {path.name for path in (open_folder / "root").glob("python/lib/*/site-packages/*")}
    assert {"aimonk", "mlflow", "openvino"} <= installed
    assert not {"tensorflow", "keras", "pyspark", "torch"} & installed
    port = free_port()
    log = open_folder / "log.txt"
    process = started(image, port, log)
    try:
        wait_for(f"http://127.0.0.1:{port}/ready", process, log)
        assert ask(port)["predictions"][0]["predicted_attributes"] == ["red"]
        assert (ask(port)["model"], ask(port)["version"]) == ("dresses", "3")
        assert image.ports == [8000] and image.health[0] == "python"
        image.run([part.replace(":8000/", f":{port}/") for part in image.health])
        process.terminate()
        process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


def started(image: Image, port: int, log: Path) -> subprocess.Popen[bytes]:
    """The entry point at a free port; as the image's user, where that user could run this Python."""
    first, *rest = [str(port) if part == "8000" else part for part in image.entrypoint]
    user, group = image.user if may_become(image) else (None, None)
    with log.open("wb") as file:
        return subprocess.Popen(
            [image.root / "python" / "bin" / first, *rest],
            cwd=image.here,
            env=image.variables,
            stdout=file,
            stderr=file,
            user=user,
            group=group,
            extra_groups=[] if user else None,
        )


def may_become(image: Image) -> bool:
    """Only root may become another user, who then may not be able to enter root's folders, Python in them."""
    if os.getuid() != 0:
        return False
    python = image.root / "python" / "bin" / "python"
    try:
        return subprocess.run([python, "-c", ""], user=image.user[0], group=image.user[1]).returncode == 0
    except PermissionError:
        return False


def ask(port: int) -> dict[str, Any]:
    body = json.dumps({"inputs": {"image": [base64.b64encode(RED).decode()]}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
    )
    answer: dict[str, Any] = json.load(urllib.request.urlopen(request, timeout=30))
    return answer
