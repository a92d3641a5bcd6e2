from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aimonk.commands.sweep import _check_choosable, _check_folds, _gain, _identity, reported
from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.data.split import Split
from aimonk.errors import ConfigError
from aimonk.sweeping.space import Choice, Space
from aimonk.sweeping.trials import FoldResult, Trial

from ..sweeping.conftest import make_trial

CONFIG = load_config(None, ["evaluation.folds=2", "evaluation.calibrate=false", "evaluation.threshold=0.5"])
NUMBERS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
SPLITS = (
    Split(np.array([], int), np.array([4, 5, 6, 7]), np.array([0, 1, 2, 3])),
    Split(np.array([], int), np.array([0, 1, 2, 3]), np.array([4, 5, 6, 7])),
)
TARGETS = np.array([[1.0], [0.0]] * 4, np.float32)
GOOD, BAD = [2.0, 1.0, 2.0, 1.0], [1.0, 2.0, 1.0, 2.0]


def make(number: int, validations: list[list[float]], tests: list[list[float]], l2: float = 0.1) -> Trial:
    """A trial of one attribute with these logits of each fold's validation and test images."""
    folds = tuple(
        FoldResult(0.5, 1, np.array(validation)[:, None], np.array(test)[:, None])
        for validation, test in zip(validations, tests, strict=True)
    )
    return dataclasses.replace(make_trial(number, ()), folds=folds, settings={"training.l2": l2})


def test_each_fold_reports_the_test_images_of_its_own_winner() -> None:
    first = make(0, [GOOD, BAD], [[1, 2, 3, 4], [5, 6, 7, 8]])
    second = make(1, [BAD, GOOD], [[-1, -2, -3, -4], [-5, -6, -7, -8]])
    scores = reported([first, second], SPLITS, data(), CONFIG)[0]
    assert scores.logits[:, 0].tolist() == [1, 2, 3, 4, -5, -6, -7, -8]
    assert scores.folds.tolist() == NUMBERS.tolist()
    assert scores.images == tuple("abcdefgh")


def test_thresholds_of_a_fold_come_from_its_winners_validation_images() -> None:
    # Of [2 1 2 1] F1 is best at sigmoid(2) and above sigmoid(1), of [4 3 4 3] between these.
    config = load_config(None, ["evaluation.folds=2", "evaluation.calibrate=false"])
    first, second = make(0, [GOOD, BAD], [GOOD, BAD]), make(1, [BAD, [4.0, 3.0, 4.0, 3.0]], [BAD, GOOD])
    found = reported([first, second], SPLITS, data(), config)[0].thresholds[:, 0]
    for row, low, high in ((0, 1, 2), (4, 3, 4)):
        assert 1 / (1 + np.exp(-low)) < found[row] <= 1 / (1 + np.exp(-high))


def data(targets: np.ndarray = TARGETS) -> Any:
    return SimpleNamespace(
        targets=targets,
        groups=np.arange(len(targets)),
        attributes=("collar",),
        digest="d",
        names=tuple("abcdefgh"),
        digests=tuple("abcdefgh"),
    )


def test_the_gain_is_over_the_settings_as_they_stood() -> None:
    space = Space({"training.l2": Choice((0.01, 0.1))})
    config = load_config(None, ["training.l2=0.01", "evaluation.resamples=100"])
    wrong = [1.0, 3.0, 2.0, 4.0]
    before, after = make(0, [BAD, BAD], [wrong, wrong], 0.01), make(1, [GOOD, GOOD], [GOOD, GOOD], 0.1)
    scores, _ = reported([after, after], SPLITS, data(), CONFIG)
    gain = _gain((before, after), scores, SPLITS, data(), space, config)
    assert gain is not None
    # The positives of both folds come last, at ranks 5 to 8.
    worst = (1 / 5 + 2 / 6 + 3 / 7 + 4 / 8) / 4
    assert gain.challenger == 1.0
    assert gain.champion == pytest.approx(worst)
    assert gain.difference.value == pytest.approx(1 - worst)
    elsewhere = dataclasses.replace(config, training=dataclasses.replace(config.training, l2=5.0))
    assert _gain((before, after), scores, SPLITS, data(), space, elsewhere) is None


def test_the_identity_changes_with_all_that_scores_depend_on_and_with_nothing_else() -> None:
    space = Space({"training.l2": Choice((0.01, 0.1))})
    learner: Any = SimpleNamespace(key=SimpleNamespace(folder="mobilenet/f32"))

    def identity(config: Config = CONFIG, splits: Any = SPLITS, blind: bool = False, **more: Any) -> str:
        given = {"space": space, "data": data(), "learner": learner, **more}
        return _identity(given["space"], config, given["data"], splits, given["learner"], blind)

    def assigned(*assignments: str) -> Config:
        kept = ["evaluation.folds=2", "evaluation.calibrate=false", "evaluation.threshold=0.5"]
        return load_config(None, [*kept, *assignments])

    same = identity()
    assert identity(assigned("tracking.title=x", "evaluation.permutations=100", "finetune.epochs=3")) == same
    other_splits = [SPLITS[0], Split(np.array([], int), np.array([0, 1, 2]), np.array([3, 4, 5, 6, 7]))]
    others = {
        identity(assigned("training.epochs=3")),
        identity(assigned("training.mode=finetune")),
        identity(assigned("training.mode=finetune", "finetune.epochs=3")),
        identity(assigned('features.views=["plain", "flip"]')),
        identity(splits=other_splits),
        identity(blind=True),
        identity(space=Space({"training.l2": Choice((0.01, 0.2))})),
        identity(data=SimpleNamespace(digest="e")),
        identity(learner=SimpleNamespace(key=SimpleNamespace(folder="mobilenet/bf16"))),
    }
    assert len(others) == 9
    assert same not in others


def test_what_leaves_nothing_to_choose_by() -> None:
    with pytest.raises(ConfigError, match=r"set evaluation\.folds to 2 or more"):
        _check_choosable(load_config(None, ["evaluation.folds=0"]), "")
    unwatched = ["split.validation=0", "training.patience=0", "evaluation.calibrate=false"]
    with pytest.raises(ConfigError, match=r"set split\.validation above 0"):
        _check_choosable(load_config(None, [*unwatched, "evaluation.threshold=0.5"]), "")
    for name in ("../x", "a b", ".x", "x/y"):
        with pytest.raises(ConfigError, match="--name takes letters"):
            _check_choosable(CONFIG, name)
    _check_choosable(CONFIG, "dresses-2.1_b")
    targets = TARGETS.copy()
    targets[4:] = 1
    with pytest.raises(ConfigError, match=r"4 validation images of fold 1 of 2 have no attribute with both"):
        _check_folds(data(targets), SPLITS)
