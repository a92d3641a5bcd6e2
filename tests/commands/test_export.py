"""`aimonk export`: the formats that are offered, and what is said of others."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner

import aimonk
from aimonk.cli import app
from aimonk.commands.export import export
from aimonk.errors import ModelError


def test_onnx_is_not_offered() -> None:
    assert "onnx" not in str(inspect.signature(export))
    told = CliRunner().invoke(app, ["export", "--help"], terminal_width=200).stdout
    assert "openvino|keras" in told


def test_another_format_is_one_sentence_about_the_model_as_it_was_named(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(package.parent)
    done = CliRunner().invoke(
        app, ["export", "--model", package.name, "--format", "onnx", "--out", str(tmp_path / "m.onnx")]
    )
    assert str(done.exception) == (
        f"Nothing is exported as onnx; the model {package.name} can be exported as openvino or keras; "
        "tf2onnx makes ONNX of a Keras model."
    )


def test_keras_needs_the_settings_of_the_run(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(package.parent)
    with pytest.raises(
        ModelError, match=f"the model {package.name} was trained with are unknown; give it as"
    ):
        aimonk.export(package.name, "keras", tmp_path / "m.keras")
