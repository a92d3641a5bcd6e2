"""Fixtures shared by all tests: the real data, and homes for stores that no test shares with the user."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("aimonk", deadline=None)  # machines are shared, and times on them say little
settings.load_profile("aimonk")

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("AIMONK_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights; without it the test skips, or fails where CI forbids that."""
    if not (SHARED / "data").is_dir():
        reason = f"no real data at {SHARED}; set AIMONK_SHARED to its folder"
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED


@pytest.fixture(scope="session")
def master() -> str:
    """A Spark on this machine; without pyspark or Java the test skips, or fails where CI forbids that."""
    java = os.environ.get("JAVA_HOME") or shutil.which("java")
    if not (java and importlib.util.find_spec("pyspark")):
        reason = "Spark needs pyspark and Java"
        if os.environ.get("AIMONK_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    return "local[2]"


@pytest.fixture(autouse=True)
def _own_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's feature store or tracking store, or loads a pickle."""
    monkeypatch.setenv("AIMONK_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("AIMONK_GRAPHS", str(tmp_path / "graphs"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")  # nothing of ours is ever pickled
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "hypothesis"))
