from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest

from aimonk.commands import doctor as module
from aimonk.commands.doctor import CHECKS, doctor
from aimonk.results.doctor_result import Check, Status

Usage = namedtuple("Usage", "total used free")


def executable(folder: Path, name: str, script: str = "") -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_every_check_runs_and_none_loads_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from aimonk.commands.doctor import CHECKS, doctor\n"
        "result = doctor()\n"
        "assert len(result.checks) == len(CHECKS)\n"
        "assert not any('check failed' in check.found for check in result.checks), result\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    assert not list(tmp_path.glob("mlflow.db*"))  # a look changes nothing
    assert not (tmp_path / "store").exists()


def test_a_check_that_breaks_is_a_problem_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_something() -> Check:
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "CHECKS", (check_something,))
    (check,) = doctor().checks
    assert (check.name, check.status) == ("something", Status.PROBLEM)
    assert check.found == "the check failed: RuntimeError: broken"


def test_a_package_that_is_too_old_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        metadata, "requires", lambda name: ["numpy>=999", "rich", 'pyspark>=999; extra == "x"']
    )
    check = module.check_packages()
    assert check.status is Status.PROBLEM
    assert check.fix == "pip install 'numpy>=999'"


def test_an_environment_that_is_not_activated_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("aimonk", "mlflow"):
        executable(tmp_path / "bin", name)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    check = module.check_path()
    assert check.status is Status.PROBLEM
    assert check.found.startswith("uvicorn not on the path")
    executable(tmp_path / "bin", "uvicorn")
    assert module.check_path().status is Status.OK


@pytest.mark.parametrize(
    ("words", "status", "found"),
    [
        ('openjdk version "21.0.2" 2024-01-16', Status.OK, "Java 21"),
        ('java version "1.8.0_391"', Status.NOTE, "Java 8; Spark needs Java 17"),
    ],
)
def test_java_is_asked_for_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, status: Status, found: str
) -> None:
    executable(tmp_path / "bin", "java", f"echo '{words}' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(module, "_version", lambda name: "4.0.0")
    check = module.check_spark()
    assert check.status is status
    assert found in check.found


def test_the_feature_store_is_measured(tmp_path: Path) -> None:
    store = tmp_path / "store"  # where AIMONK_STORE points in every test
    assert module.check_feature_store().found == f"{store}, 0 MB"
    store.mkdir()
    (store / "part").write_bytes(b"0" * 3_000_000)
    assert module.check_feature_store().found == f"{store}, 3 MB"


def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**11, 10**11, 10**9))
    check = module.check_disk()
    assert check.status is Status.PROBLEM
    assert "1 GB free" in check.found


def test_weights_in_keras_cache_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert module.check_weights().status is Status.NOTE
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "resnet50v2_weights_notop.h5").touch()  # another network
    assert module.check_weights().status is Status.NOTE
    (tmp_path / "models" / "resnet50_weights_notop.h5").touch()
    assert module.check_weights().status is Status.OK


def test_uv_or_conda_makes_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert module.check_environments().fix == "pip install uv"
    executable(tmp_path / "bin", "conda")
    assert module.check_environments().status is Status.OK


def test_a_store_that_is_not_there_has_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    check = module.check_tracking_store()
    assert check.status is Status.PROBLEM
    assert check.fix.startswith("export MLFLOW_TRACKING_URI=")


def test_every_check_has_its_own_name() -> None:
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)
