"""The built-in recipes: what the default one spells out, and that all of them can be read and described."""

from __future__ import annotations

import tomllib

import pytest

from aimonk.backbones.large_backbone import is_large
from aimonk.backbones.zoo import enlarged
from aimonk.commands.recipes import list_recipes
from aimonk.config import Config
from aimonk.config_file import RECIPES, chosen_config, load_config, read_recipe_text


def test_the_default_recipe_spells_out_every_default() -> None:
    assert load_config("default") == Config()
    sections = tomllib.loads(read_recipe_text("default"))
    spelled = {f"{section}.{key}" for section, keys in sections.items() for key in keys}
    assert spelled == {name for name, value in Config().flat().items() if value is not None}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_opens_with_what_it_is_and_its_command(name: str) -> None:
    load_config(name)
    opening = read_recipe_text(name).partition("\n\n")[0]
    assert f"aimonk train --config {name}" in opening


def test_the_list_says_what_each_recipe_scores_and_takes() -> None:
    found = list_recipes()
    assert [recipe.name for recipe in found.recipes] == ["default", "finetune", "notebook"]
    finetune = found.recipes[1]
    assert finetune.what.startswith("Fine-tune the whole network")
    assert finetune.scores.startswith("mean AP")
    assert "minutes" in finetune.takes
    assert "notebook" in str(found)


def test_epochs_are_those_of_the_phase_that_matters() -> None:
    assert chosen_config("finetune", epochs=3).finetune.epochs == 3
    assert chosen_config(None, epochs=3).training.epochs == 3
    assert chosen_config(None, ["training.mode=finetune"], epochs=3).finetune.epochs == 3


@pytest.mark.parametrize(
    ("backbone", "sizes", "epochs", "share"),
    [("mobilenet@0.25", (320, 288), 20, 0.0), ("efficientnetb0", (256, 224), 10, 0.125)],
)
def test_fine_tuning_takes_smaller_images_for_a_large_backbone(
    backbone: str, sizes: tuple[int, int], epochs: int, share: float
) -> None:
    config = chosen_config("finetune", backbone=backbone, is_large=is_large)
    resolutions = config.features.resolution, config.finetune.resolution
    assert tuple(enlarged(224, resolution) for resolution in resolutions) == sizes
    assert (config.finetune.epochs, config.training.color_share) == (epochs, share)
    assert chosen_config("finetune", backbone=backbone, epochs=3, is_large=is_large).finetune.epochs == 3


def test_the_notebook_recipe_is_the_notebooks() -> None:
    config = load_config("notebook")
    assert (config.split.kind, config.split.test, config.split.seed) == ("random", 0.2, 42)
    assert (config.features.backbone, config.features.resolution, config.features.pooling) == (
        "resnet50",
        1,
        "mean",
    )
    training = config.training
    assert (training.epochs, training.batch_size, training.learning_rate) == (5, 32, 1e-4)
    assert (training.pos_weight_power, training.weight_decay, training.l2) == (1, 0, 0)
    assert not (training.scale_features or training.patience)
    assert (config.evaluation.threshold, config.evaluation.calibrate, config.folds) == ("0.5", False, 0)
