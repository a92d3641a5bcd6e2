"""The MLproject file: every parameter it declares reaches the command, which has an option for it."""

from __future__ import annotations

import re

import pytest
import typer
import yaml

from aimonk.cli import app
from tests.conftest import ROOT

ENTRY_POINTS = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_declared_parameter_is_passed_to_an_option(name: str) -> None:
    entry = ENTRY_POINTS[name]
    command = "train" if name == "main" else name
    assert entry["command"].startswith(f"python -m aimonk {command} ")
    passed = re.findall(r"--([\w-]+)=\{(\w+)\}", entry["command"])
    assert {option for option, _ in passed} == {parameter for _, parameter in passed}
    assert {parameter for _, parameter in passed} == set(entry["parameters"])
    options = {
        option
        for parameter in typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
        for option in parameter.opts
    }
    assert {f"--{option}" for option, _ in passed} <= options


def test_without_parameters_the_main_entry_point_runs_the_demo() -> None:
    main = ENTRY_POINTS["main"]
    assert "--demo" in main["command"].split()
    assert all(parameter["default"] == "" for parameter in main["parameters"].values())


def test_the_environment_is_the_pinned_one() -> None:
    conda = yaml.safe_load((ROOT / "conda.yaml").read_text())
    assert conda["dependencies"][0] == "python=3.11"
    assert conda["dependencies"][-1] == {"pip": ["-r requirements.txt"]}
