from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aimonk.config import Config
from aimonk.config_file import chosen_config, load_config
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


def test_what_a_file_sets_otherwise_for_large_backbones(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("[finetune]\nepochs = 20\nbatch_size = 16\n[large.finetune]\nepochs = 12\n")

    def epochs(backbone: str, *given: str) -> tuple[int, int]:
        settings = [f"features.backbone={backbone}", *given]
        config = load_config(file, settings, lambda features: features.backbone == "big")
        return config.finetune.epochs, config.finetune.batch_size

    assert epochs("big") == (12, 16)
    assert epochs("small") == (20, 16)
    assert epochs("big", "finetune.epochs=3") == (3, 16)  # what is asked for always wins
    assert load_config(file).finetune.epochs == 20


def test_the_table_for_large_backbones_holds_sections(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("large = 3\n")
    with pytest.raises(ConfigError, match="must hold sections, such as"):
        load_config(file, [], lambda features: True)
    file.write_text("[large.finetune]\nepoch = 3\n")
    with pytest.raises(ConfigError, match=r"There is no setting finetune\.epoch"):
        load_config(file, [], lambda features: True)


def test_a_list_is_set_as_toml() -> None:
    assert load_config(None, ['finetune.augment=["flip"]']).finetune.augment == ("flip",)


def test_flat_names_every_setting_by_section() -> None:
    flat = Config().flat()
    assert flat["training.batch_size"] == 0
    assert flat["evaluation.folds"] == "auto"
    assert len(flat) == sum(len(section) for section in dataclasses.asdict(Config()).values())


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        (
            "training.epoch=5",
            "There is no setting training.epoch given by --set; the nearest is training.epochs.",
        ),
        (
            "finetune.backbone=x",
            "There is no setting finetune.backbone given by --set; the nearest is features.b",
        ),
        ("training.lr=1", "There is no setting training.lr given by --set; known are mode, loss"),
        ("colors.number=1", "There is no setting colors given by --set; known sections are data, labels"),
        (
            "trainning.epochs=5",
            "There is no setting trainning given by --set; the nearest section is training.",
        ),
        ("training.epochs=many", "training.epochs given by --set is 'many'"),
        ("training.epochs=0", "greater than or equal to 1"),
        ("split.test=1.5", "less than 1"),
        ("training.loss=hinge", "'weighted_bce'"),
        ("evaluation.threshold=2", "give f1, precision>=P, recall>=R"),
        ("evaluation.folds=99", "less than or equal to 50"),
        ('finetune.augment=["mixup"]', "'flip', 'crop', 'rotate', 'color' or 'erase'"),
        ("epochs=5", "--set takes section.key=value, not 'epochs=5'"),
        ("split.validation=0", "training.patience is chosen on validation images"),
    ],
)
def test_a_wrong_setting_is_one_sentence(assignment: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")) as caught:
        load_config(None, [assignment])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no recipe or file"):
        load_config(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("epochs = = 5")
    with pytest.raises(ConfigError, match=r"broken\.toml are not readable TOML"):
        load_config(broken)


def test_nothing_may_be_chosen_without_validation_images() -> None:
    unchosen = ["split.validation=0", "training.patience=0", "evaluation.calibrate=false"]
    with pytest.raises(ConfigError, match=r"evaluation\.threshold is chosen"):
        load_config(None, unchosen)
    assert load_config(None, [*unchosen, "evaluation.threshold=0.5"]).split.validation == 0


def test_a_wrong_value_is_found_wherever_a_setting_is_made() -> None:
    config = Config()
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        dataclasses.replace(config.training, epochs=0)
    with pytest.raises(ValidationError, match="give f1"):
        dataclasses.replace(config.evaluation, threshold="best")


@pytest.mark.parametrize("kind", ["random", "column"])
def test_a_split_that_divides_once_is_never_ignored(kind: str) -> None:
    assert load_config(None, [f"split.kind={kind}"]).folds == 0
    assert load_config(None, []).folds == 5
    assert load_config(None, ["evaluation.folds=3"]).folds == 3
    with pytest.raises(
        ConfigError, match=f"split.kind={kind} divides the images once, but evaluation.folds=3"
    ):
        load_config(None, [f"split.kind={kind}", "evaluation.folds=3"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epochs": 0}, "The setting training.epochs given by --epochs is 0, but"),
        ({"epochs": -3, "config": "finetune"}, "The setting finetune.epochs given by --epochs is -3, but"),
        ({"epochs": 3, "set": ["training.epochs=0"]}, "The setting training.epochs given by --set is 0, but"),
        (
            {"epochs": 0, "set": ["training.l2=0.1"]},
            "The setting training.epochs given by --epochs is 0, but",
        ),
        ({"config": "x.toml", "epochs": 3}, "The setting training.loss in x.toml is 'hinge', but"),
        ({"set": ["split.validation=0"]}, "The settings given by --set contradict each other"),
        (
            {"config": "notebook", "epochs": 3, "set": ["split.kind=random", "evaluation.folds=3"]},
            "The settings in notebook or given by --set contradict each other",
        ),
    ],
)
def test_the_option_that_gave_a_wrong_setting_is_named(
    given: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text('[training]\nloss = "hinge"\n')
    with pytest.raises(ConfigError) as raised:
        chosen_config(given.get("config"), given.get("set", ()), epochs=given.get("epochs"))
    assert str(raised.value).startswith(said)


def test_each_named_option_is_named() -> None:
    texts = {
        "backbone": "features.backbone",
        "weights": "features.weights",
        "experiment": "tracking.experiment",
    }
    for option, setting in {**texts, "register": "tracking.register"}.items():
        with pytest.raises(ConfigError, match=f"The setting {setting} given by --{option} is"):
            chosen_config(None, **{option: ["no text"]})  # type: ignore[arg-type]
