"""The experiment files: what the default one spells out, and that all of them can be read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from aimonk.config import Config
from aimonk.config_file import load_config
from tests.conftest import ROOT

FILES = sorted((ROOT / "experiments").glob("*.toml"))


def test_the_default_file_spells_out_every_default() -> None:
    path = ROOT / "experiments" / "default.toml"
    assert load_config(path) == Config()
    spelled = {
        f"{section}.{key}" for section, keys in tomllib.loads(path.read_text()).items() for key in keys
    }
    assert spelled == set(Config().flat())


@pytest.mark.parametrize("path", [file for file in FILES if file.stem != "sweep"], ids=lambda path: path.stem)
def test_an_experiment_can_be_read_and_opens_with_its_command(path: Path) -> None:
    load_config(path)
    comment = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any(f"aimonk train --config experiments/{path.name}" in line for line in comment)


def test_the_seed_recipe_is_the_notebooks() -> None:
    config = load_config(ROOT / "experiments" / "seed.toml")
    assert (config.split.kind, config.split.test, config.split.seed) == ("random", 0.2, 42)
    assert (config.features.backbone, config.features.resolution, config.features.pooling) == (
        "resnet50",
        1,
        "mean",
    )
    training = config.training
    assert (training.epochs, training.batch_size, training.learning_rate) == (5, 32, 1e-4)
    assert (training.pos_weight_power, training.weight_decay, training.l2) == (1, 0, 0)
    assert not (training.scale_features or training.patience or config.features.rooted)
    assert (config.evaluation.threshold, config.evaluation.calibrate, config.evaluation.folds) == (
        "0.5",
        False,
        0,
    )
