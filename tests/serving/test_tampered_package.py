"""A package that somebody changed is refused with one sentence, whoever loads it."""

# ruff: noqa: F811  (pytest's fixtures are imported, and are parameters too)
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from aimonk.serving.log_package import log_package
from aimonk.tracking.tracked_run import tracked_run
from tests.conftest import ROOT

from ..tracking.conftest import empty_store, store  # noqa: F401
from .conftest import plain_image


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def lower_a_threshold(file: Path) -> None:
    text = file.read_text()
    assert '"threshold": 0.5' in text
    file.write_text(text.replace('"threshold": 0.5', '"threshold": 0.1', 1))


@pytest.fixture
def model(store: MlflowClient, package: Path, tmp_path: Path) -> Path:
    """An MLflow model in a folder."""
    with tracked_run("dresses"):
        logged = log_package(package)
    return Path(mlflow.artifacts.download_artifacts(logged.model_uri, dst_path=str(tmp_path / "model")))


@pytest.mark.parametrize(
    ("name", "tamper"),
    [("model.bin", flip_a_byte), ("model.xml", flip_a_byte), ("attributes.json", lower_a_threshold)],
)
def test_mlflow_refuses_it(model: Path, name: str, tamper: Callable[[Path], None]) -> None:
    (package,) = (model / "artifacts").iterdir()
    mlflow.pyfunc.load_model(str(model))
    tamper(package / name)
    with pytest.raises(Exception, match=f"was changed or damaged: {name} is not the file") as raised:
        mlflow.pyfunc.load_model(str(model))
    assert type(raised.value).__name__ == "ModelError"
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["predict", "serve", "score"])
def test_our_commands_refuse_it(
    package: Path, make_package: Callable[..., Path], command: str, tmp_path: Path
) -> None:
    folder = make_package()
    flip_a_byte(folder / "model.bin")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "red.png").write_bytes(plain_image(200, 0, 250))
    arguments: dict[str, list[object]] = {
        "predict": [photos / "red.png"],
        "serve": ["--port", "1"],
        "score": ["--data", photos, "--out", tmp_path / "scores.csv"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "aimonk", command, "--model", str(folder), *map(str, arguments[command])],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The model package ") and "model.bin is not the file" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout and not (tmp_path / "scores.csv").exists()
