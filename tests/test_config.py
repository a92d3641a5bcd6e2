from __future__ import annotations

from pathlib import Path

import pytest

from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.errors import ConfigError


def test_no_file_and_no_assignment_are_the_defaults() -> None:
    assert load_config() == Config()


def test_assignments_override_the_file_and_the_last_one_wins(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[training]\nepochs = 7\n[features]\nbackbone = "mobilenet@0.25"\n')
    config = load_config(file, ["training.epochs=8", "training.epochs=9", "tracking.title=two words"])
    assert config.training.epochs == 9
    assert config.features.backbone == "mobilenet@0.25"
    assert config.tracking.title == "two words"
    assert config.split == Config().split


def test_a_list_is_set_as_toml() -> None:
    assert load_config(None, ['finetune.augment=["flip"]']).finetune.augment == ("flip",)


def test_flat_names_every_setting_by_section() -> None:
    flat = Config().flat()
    assert flat["training.batch_size"] == 32
    assert flat["evaluation.folds"] == 5
    assert len(flat) == sum(len(vars(section)) for section in vars(Config()).values())


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("training.epoch=5", "There is no setting training.epoch given by --set; known are mode, loss"),
        ("trainning.epochs=5", "There is no setting trainning given by --set; known are data, split"),
        ("training.epochs=many", "training.epochs given by --set is 'many'"),
        ("training.epochs=0", "greater than or equal to 1"),
        ("split.test=1.5", "less than 1"),
        ("training.loss=hinge", "'weighted_bce'"),
        ("epochs=5", "--set takes section.key=value, not 'epochs=5'"),
        ("split.validation=0", "training.patience is chosen on validation images"),
    ],
)
def test_a_wrong_setting_is_one_sentence(assignment: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")) as caught:
        load_config(None, [assignment])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no experiment file"):
        load_config(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("epochs = = 5")
    with pytest.raises(ConfigError, match=r"broken\.toml is not readable TOML"):
        load_config(broken)


def test_nothing_may_be_chosen_without_validation_images() -> None:
    unchosen = ["split.validation=0", "training.patience=0", "evaluation.calibrate=false"]
    with pytest.raises(ConfigError, match=r"evaluation\.threshold is chosen"):
        load_config(None, unchosen)
    assert load_config(None, [*unchosen, "evaluation.threshold=0.5"]).split.validation == 0
