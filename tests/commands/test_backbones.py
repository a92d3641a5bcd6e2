"""`aimonk backbones` without `--compare`: what is said of a file, and which settings take part in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import aimonk
from aimonk.cli import app
from aimonk.errors import BackboneError, ConfigError
from aimonk.features import throughput

from ..backbones.networks import convolutions, describe

SIZE = [
    "--set",
    "features.image_size=64",
    "--set",
    "features.mean=[0, 0, 0]",
    "--set",
    "features.std=[1, 1, 1]",
]


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A network beside which nothing says how large its images are."""
    return convolutions(tmp_path / "model.onnx")


def test_settings_describe_a_file(alone: Path) -> None:
    with pytest.raises(BackboneError, match=r"set features\.image_size|features\.mean"):
        aimonk.list_backbones([alone])
    done = CliRunner().invoke(app, ["backbones", str(alone), *SIZE, "--json"])
    first = json.loads(done.stdout.splitlines()[-1])["backbones"][0]
    assert (first["name"], first["height"], first["width"]) == (str(alone), 64, 64)


def test_a_file_of_settings_describes_it_too(alone: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(
        "[features]\nimage_size = 96\nmean = [0, 0, 0]\nstd = [1, 1, 1]\nweights = 'none'\n"
    )
    found = aimonk.list_backbones([alone], config=tmp_path / "x.toml")
    assert found.backbones[0].height == 96


def test_settings_are_those_that_the_speed_is_measured_at(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(alone.parent)
    monkeypatch.setattr(throughput, "images_per_second", lambda name, config: config.resolution)
    found = aimonk.list_backbones([alone], speed=True, settings=["features.resolution=1.5"])
    assert found.backbones[0].images_per_second == 1.5


@pytest.mark.parametrize(
    ("setting", "files", "speed"),
    [
        ("features.image_size=64", False, False),
        ("features.resolution=2", True, False),
        ("training.epochs=3", True, True),
        ("features.backbone=resnet50", True, True),
    ],
)
def test_a_setting_that_changes_nothing_is_refused(
    alone: Path, setting: str, files: bool, speed: bool
) -> None:
    with pytest.raises(ConfigError, match=f"The setting {setting.partition('=')[0]} changes nothing about"):
        aimonk.list_backbones([alone] if files else (), speed=speed, settings=[setting])


def test_a_recipe_changes_nothing_about_the_built_in_ones() -> None:
    with pytest.raises(ConfigError, match="The settings in notebook change nothing"):
        aimonk.list_backbones(config="notebook")


@pytest.mark.parametrize("options", [["--labels", "l.csv"], ["--group", "patient"], ["--data", "photos"]])
def test_options_of_data_and_labels_are_for_a_comparison(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["backbones", *options])
    assert done.exit_code == 2
    assert "name the backbones to measure" in done.stderr
