"""The README's commands are run as they stand, one after the other, outside the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from aimonk.cli import app
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"(<!-- \w+ -->\n)?```(bash|python)\n(.*?)```", README, re.DOTALL)
WAIT = """
for _ in $(seq 240); do curl -sf -o /dev/null http://127.0.0.1:{port}/{path} && break; sleep 0.5; done
curl -sf -o /dev/null http://127.0.0.1:{port}/{path}
"""


def script() -> str:
    """All blocks but the two that install, as one script that stops at the first command that fails."""
    parts = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for mark, language, text in BLOCKS:
        if mark:
            continue
        if language == "python":
            parts.append(f"python - <<'PYTHON'\n{text}PYTHON")
            continue
        parts.append(text)
        for port in re.findall(r"--port (\d+) &", text):
            parts.append(WAIT.format(port=port, path="ping" if "serve" in text else "health"))
    return "\n".join(parts)


@pytest.fixture(scope="module")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds only what the README's first command installs."""
    folder = tmp_path_factory.mktemp("lean")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--seed", "--python", sys.executable, folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    install = ("pip", "install", "-q", "--python", python, "-r", ROOT / "requirements.txt", ROOT)
    subprocess.run([*uv, *install], check=True)
    return python.parent


@pytest.mark.slow
def test_every_command_of_the_readme_works(tmp_path: Path, shared: Path, lean: Path) -> None:
    for name in ("MLproject", "conda.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    models = tmp_path / "keras" / "models"  # where Keras keeps what it has downloaded
    models.mkdir(parents=True)
    shutil.copy(shared / "weights" / "mobilenet_2_5_224_tf_no_top.h5", models)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    inherited.pop("PYTHONPATH", None)
    environment = {
        **inherited,
        "PATH": f"{lean}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(lean.parent),
        "KERAS_HOME": str(tmp_path / "keras"),
        "AIMONK_STORE": str(tmp_path / "store"),
        "AIMONK_GRAPHS": str(tmp_path / "graphs"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    log = tmp_path / "log.txt"  # a file: the servers would keep a pipe open
    with log.open("w") as output:
        done = subprocess.run(
            ["bash", "-c", script()], cwd=tmp_path, env=environment, stdout=output, stderr=output, timeout=900
        )
    said = log.read_text()
    assert done.returncode == 0, said[-3000:]
    assert "Predicted Attributes: [" in said
    assert '"probabilities"' in said
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores.column_names == ["image", "predicted_attributes", "probabilities", "error"]
    assert len(scores) == 200


def test_there_are_two_commands_that_set_up_and_run() -> None:
    marked = {mark.strip(): text for mark, _, text in BLOCKS if mark}
    assert marked["<!-- main -->"].strip().endswith("aimonk train --demo")
    assert marked["<!-- tests -->"].strip().endswith("pytest -q -n 2 --dist worksteal")
    assert all(text.count("\n") == 1 for text in marked.values())


def test_every_command_is_in_the_readme() -> None:
    listed = CliRunner().invoke(app, ["--help"]).stdout
    commands = {
        command.name or command.callback.__name__  # type: ignore[union-attr]
        for command in app.registered_commands
    }
    for command in sorted(commands):
        assert command in listed
        assert f"aimonk {command}" in README, f"the README does not show aimonk {command}"
