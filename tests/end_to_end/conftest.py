"""Whole commands, run as a user runs them: one trained model serves most of the tests here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


@dataclass(frozen=True)
class Desk:
    """A folder with stores of its own, in which commands are run."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")},
            "AIMONK_STORE": str(self.folder / "store"),
            "AIMONK_GRAPHS": str(self.folder / "graphs"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "160",
        }

    def aimonk(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "aimonk", *arguments, **more)

    def run(self, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": str(ROOT), **more},
            capture_output=True,
            text=True,
            timeout=900,
        )

    def answer(self, *arguments: object, **more: str) -> dict[str, Any]:
        """The JSON object that a command prints as its last line."""
        done = self.aimonk(*arguments, "--json", **more)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout.splitlines()[-1])
        assert isinstance(answer, dict)
        return answer


@dataclass(frozen=True)
class Trained:
    """A model trained by the command line, and what the command said."""

    desk: Desk
    arguments: tuple[object, ...]
    answer: Mapping[str, Any]
    data: Path


@pytest.fixture(scope="session")
def weights(shared: Path) -> Path:
    return shared / "weights" / "mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture(scope="session")
def seed_model(shared: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The seed's recipe on the seed's data, with a small backbone."""
    desk = Desk(tmp_path_factory.mktemp("seed"))
    data = shared / "data" / "aimonk"
    arguments = (
        *("train", "--config", "notebook", "--data", data / "images"),
        *("--labels", data / "labels.txt", "--backbone", "mobilenet@0.25", "--weights", weights),
    )
    return Trained(desk, arguments, desk.answer(*arguments), data / "images")


@pytest.fixture(scope="session")
def clothing_model(shared: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The defaults on real clothing attributes."""
    desk = Desk(tmp_path_factory.mktemp("clothing"))
    data = shared / "data" / "clothing"
    arguments = (
        *("train", "--data", data / "images", "--labels", data / "labels.csv", "--register", "clothing"),
        *("--backbone", "mobilenet@0.25", "--weights", weights),
    )
    return Trained(desk, arguments, desk.answer(*arguments), data / "images")
