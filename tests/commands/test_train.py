"""What is fitted on which images, and what ships: with folds, with a test set, with a refit after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from aimonk.commands.train import Fit, fit_and_score, plan_splits, train
from aimonk.commands.training_request import interrupted_request
from aimonk.config import Config, EvaluationConfig, SplitConfig
from aimonk.data.split import Split
from aimonk.errors import ConfigError
from aimonk.publishing.publish_training import record_request
from aimonk.tracking.tracked_run import tracked_run
from aimonk.training.history import History, Observer

N = 40
TARGETS = (np.arange(N) % 2).astype(np.float32)[:, None]
PLAN = Split(train=np.arange(20), validation=np.arange(20, 30), test=np.arange(30, 40))
DATA: Any = SimpleNamespace(targets=TARGETS, groups=np.arange(N), split=None, names=tuple(map(str, range(N))))


@dataclass
class Model:
    rows: list[int]
    history: History
    epochs: int

    def logits(self, rows: np.ndarray) -> np.ndarray:
        return np.array([[4.0 * TARGETS[row, 0] - 2.0] for row in rows])


@dataclass
class Learner:
    """Fits in no time, each model one epoch longer than the one before, and notes what it was asked."""

    asked: list[tuple[str, list[int], str]] = field(default_factory=list)

    def fit(self, split: Split, observer: Observer | None = None, checkpoint: Path | None = None) -> Model:
        return self._fit("fit", split.train, len(self.asked) + 2, (0.5,) * 4, observer, checkpoint)

    def refit(self, epochs: int, observer: Observer | None = None, checkpoint: Path | None = None) -> Model:
        return self._fit(f"all {epochs}", np.arange(N), epochs, (), observer, checkpoint)

    def _fit(
        self,
        what: str,
        rows: np.ndarray,
        best: int,
        validation: tuple[float, ...],
        observer: Observer | None,
        checkpoint: Path | None,
    ) -> Model:
        self.asked.append((what, rows.tolist(), checkpoint.name if checkpoint else ""))
        losses = np.full(4, len(self.asked), np.float32)
        if observer:
            observer.iterations(1, losses)
            observer.epoch(1, 4, 0.5)
        return Model(rows.tolist(), History(losses, (1, 2, 3, 4), validation, best), best)


@dataclass
class Told:
    """An observer."""

    steps: list[tuple[int, float]] = field(default_factory=list)

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        self.steps += [(first_step + place, float(loss)) for place, loss in enumerate(losses)]

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        pass


def learned(**evaluation: Any) -> tuple[Fit, Learner, Told]:
    config = Config(evaluation=EvaluationConfig(**evaluation), split=SplitConfig(validation=0.25))
    learner, told = Learner(), Told()
    plan = plan_splits(DATA, config) if config.folds else (PLAN,)
    fit = fit_and_score(learner, plan, config, told, Path("kept"))  # type: ignore[arg-type]
    return fit, learner, told


def test_with_a_test_set_the_scored_model_ships() -> None:
    fit, learner, told = learned(folds=0)
    assert learner.asked == [("fit", PLAN.train.tolist(), "model")]
    assert fit.rows.tolist() == PLAN.train.tolist()
    assert fit.split is PLAN
    assert told.steps == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]


def test_a_refit_ships_a_model_of_every_image_and_reports_the_one_before() -> None:
    fit, learner, told = learned(folds=0, refit=True)
    assert learner.asked == [
        ("fit", PLAN.train.tolist(), "model"),
        ("all 2", list(range(N)), "refit"),  # as long as the first was trained until it was best
    ]
    assert fit.model.rows == list(range(N))  # type: ignore[attr-defined]
    assert fit.rows.tolist() == list(range(N))
    assert [part.split for part in fit.parts] == [PLAN]
    assert fit.split is PLAN
    assert told.steps == [(step, 1.0) for step in range(1, 5)] + [(step, 2.0) for step in range(5, 9)]
    assert fit.history.iteration_losses.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    assert fit.history.epoch_steps == (1, 2, 3, 4, 5, 6, 7, 8)
    assert fit.history.best_epoch == 4 + 2


def test_with_folds_a_model_of_every_image_ships_trained_as_long_as_is_typical() -> None:
    fit, learner, told = learned(folds=3)
    assert [what for what, _, _ in learner.asked] == ["fit", "fit", "fit", "all 3"]  # median of 2, 3, 4
    assert [place for _, _, place in learner.asked] == ["fold-0", "fold-1", "fold-2", "model"]
    assert fit.rows.tolist() == fit.split.train.tolist() == list(range(N))
    assert sorted(np.concatenate([part.split.test for part in fit.parts])) == list(range(N))
    for part in fit.parts:  # the logits of images that this fit was not trained on
        assert part.test[:, 0].tolist() == (4.0 * TARGETS[part.split.test, 0] - 2.0).tolist()
    assert {loss for _, loss in told.steps} == {4.0}  # of what ships


def test_epochs_of_all_heads_are_shown_as_one_progress() -> None:
    done: list[tuple[int, int]] = []
    config = Config(evaluation=EvaluationConfig(folds=3), split=SplitConfig(validation=0.25))
    told = Told()
    learner: Any = Learner()
    plan = plan_splits(DATA, config)
    fit_and_score(learner, plan, config, told, progress=lambda now, of: done.append((now, of)))
    epochs = config.training.epochs
    assert {of for _, of in done} == {4 * epochs}
    assert [now for now, _ in done] == sorted(now for now, _ in done)
    assert {now // epochs for now, _ in done} == {0, 1, 2, 3}
    assert told.steps  # what ships still reports its losses


def test_a_resumed_run_takes_no_other_option() -> None:
    options: list[dict[str, Any]] = [
        {"data": "photos"}, {"epochs": 3}, {"settings": ["training.l2=1"]}, {"register": "x"}
    ]  # fmt: skip
    for option in options:
        with pytest.raises(ConfigError, match="give --resume alone"):
            train(resume="abc", **option)


def test_there_is_nothing_to_train_on() -> None:
    with pytest.raises(ConfigError, match="nothing to train on"):
        train()


def test_an_interrupted_run_is_asked_again_for_the_same(store: MlflowClient) -> None:
    config = Config(evaluation=EvaluationConfig(folds=3))
    data: Any = SimpleNamespace(folder=Path("photos"), labels=Path("photos/labels.csv"))
    with pytest.raises(KeyboardInterrupt), tracked_run("dresses") as run:
        record_request(run, data, config, "finetune")
        raise KeyboardInterrupt
    request = interrupted_request(run.id)
    assert request.config == config
    assert request.recipe == "finetune"
    assert request.data == Path("photos").resolve()
    assert request.run_id == run.id


def test_a_run_with_checkpoints_in_another_store_says_where(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data: Any = SimpleNamespace(folder=Path("photos"), labels=Path("photos/labels.csv"))
    monkeypatch.setenv("AIMONK_STORE", str(tmp_path / "there"))
    folders = tmp_path / "there" / "checkpoints"
    with pytest.raises(KeyboardInterrupt), tracked_run("dresses", folders=folders) as run:
        record_request(run, data, Config(), "default")
        raise KeyboardInterrupt
    monkeypatch.setenv("AIMONK_STORE", str(tmp_path / "here"))
    with pytest.raises(ConfigError, match=f"set AIMONK_STORE={tmp_path / 'there'}"):
        interrupted_request(run.id)
    monkeypatch.setenv("AIMONK_STORE", str(tmp_path / "there"))
    assert interrupted_request(run.id).run_id == run.id
