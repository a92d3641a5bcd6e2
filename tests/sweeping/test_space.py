from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.errors import ConfigError
from aimonk.sweeping.space import Choice, Range, read_space, with_settings

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "space.toml"
        path.write_text(text)
        return path

    return written


def test_ranges_and_choices_are_read_in_order(write: Write) -> None:
    space = read_space(
        write(
            "[training]\nlearning_rate = {low = 1e-4, high = 0.1, log = true}\n"
            "batch_size = {low = 16, high = 64}\nscale_features = [true, false]\n"
            'loss = ["focal", "asymmetric"]\n'
        ),
        Config(),
    )
    assert dict(space.dimensions) == {
        "training.learning_rate": Range(1e-4, 0.1, log=True),
        "training.batch_size": Range(16, 64, integer=True),
        "training.scale_features": Choice((True, False)),
        "training.loss": Choice(("focal", "asymmetric")),
    }
    assert list(space.dimensions)[-1] == "training.loss"


def test_the_space_that_comes_along_holds_the_defaults() -> None:
    space = read_space("sweep", Config())
    flat = Config().flat()
    assert space.starting(Config()) == {name: flat[name] for name in space.dimensions}


def test_the_settings_as_they_stand_may_lie_outside(write: Write) -> None:
    space = read_space(write("[training]\nl2 = {low = 0.1, high = 1}"), Config())
    assert space.starting(load_config(None, ["training.l2=0.5"])) == {"training.l2": 0.5}
    assert space.starting(load_config(None, ["training.l2=2"])) is None


def test_settings_of_finetune_may_vary_where_it_finetunes(write: Write) -> None:
    path = write("[finetune]\nlast_layers = {low = 0, high = 20}\n[training]\nl2 = [0.0, 0.1]")
    with pytest.raises(ConfigError, match=r"finetune\.last_layers .* with training\.mode=finetune"):
        read_space(path, Config())
    space = read_space(path, load_config(None, ["training.mode=finetune"]))
    assert set(space.dimensions) == {"finetune.last_layers", "training.l2"}


def test_a_trial_changes_only_its_settings() -> None:
    config = load_config(None, ["training.epochs=7"])
    changed = with_settings(config, {"training.l2": 0.5, "finetune.epochs": 2})
    assert (changed.training.l2, changed.training.epochs, changed.finetune.epochs) == (0.5, 7, 2)
    assert changed.flat() == {**config.flat(), "training.l2": 0.5, "finetune.epochs": 2}


WRONG = {
    "unknown key": ("[training]\nlr = [0.1, 1]", r"no setting training\.lr in .*space\.toml; known are mode"),
    "unknown section": ("[trainning]\nl2 = [0.1, 1]", r"no setting trainning"),
    "wrong type": ('[training]\nl2 = ["much", "little"]', r"training\.l2 in .* is 'much'"),
    "wrong choice": ('[training]\nloss = ["focal", "hinge"]', r"training\.loss in .* is 'hinge'"),
    "out of range": ("[training]\nepochs = {low = 0, high = 10}", "greater than or equal to 1"),
    "not whole": ("[training]\nepochs = {low = 1.5, high = 3}", "valid integer"),
    "of features": ("[features]\ncolors = [0, 1]", r"features\.colors .* cannot vary"),
    "the mode": ('[training]\nmode = ["frozen", "finetune"]', r"training\.mode .* cannot vary"),
    "a fixed value": ("[training]\nl2 = 0.1", "neither a range"),
    "a range of texts": ("[training]\nloss = {low = 0, high = 1}", "list its choices"),
    "a range of switches": ("[training]\nscale_features = {low = 0, high = 1}", "list its choices"),
    "a word too many": ("[training]\nl2 = {low = 0.1, high = 1, step = 0.1}", "not step"),
    "no end": ("[training]\nl2 = {low = 0.1}", "takes numbers low and high"),
    "infinite": ("[training]\nl2 = {low = 0.1, high = inf}", "takes numbers low and high"),
    "downwards": ("[training]\nl2 = {low = 1, high = 0.1}", "not from 1 to 0.1"),
    "log from 0": ("[training]\nl2 = {low = 0, high = 1, log = true}", "upwards from above 0"),
    "one choice": ("[training]\nl2 = [0.1]", "two different choices"),
    "equal choices": ("[training]\nl2 = [0.1, 0.1]", "two different choices"),
    "a list of lists": ("[training]\nl2 = [[0.1], [1]]", "numbers, texts"),
    "no section": ("l2 = [0.1, 1]", "not a section"),
    "nothing": ("[training]", "names no setting"),
    "not TOML": ("[training", "not readable TOML"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_space_is_one_sentence(case: str, write: Write) -> None:
    text, said = WRONG[case]
    with pytest.raises(ConfigError, match=said) as caught:
        read_space(write(text), Config())
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).endswith(".")


def test_a_space_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no search space"):
        read_space(tmp_path / "absent.toml", Config())
