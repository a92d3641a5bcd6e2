from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aimonk.data.split import Split
from aimonk.sweeping.search import result, search
from aimonk.sweeping.space import Range, Settings, Space
from aimonk.sweeping.study import RANDOM_TRIALS, open_study
from aimonk.sweeping.trials import Trial
from aimonk.training.history import History

TARGETS = np.array([[1.0], [0.0]] * 10, np.float32)
SPLITS = [Split(np.arange(4), np.arange(4, 8), np.arange(first, first + 6)) for first in (8, 14)]
SPACE = Space({"training.l2": Range(0.0, 1.0)})


@dataclass(frozen=True)
class Fitted:
    """Positives score `gap` above negatives."""

    gap: float
    history: History = field(default_factory=lambda: History(np.ones(3, np.float32), (3,), (1.0,), 1))
    epochs: int = 1

    def logits(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(TARGETS[rows] * self.gap)


@dataclass
class Learner:
    l2: float
    fits: list[float]

    def fit(self, split: Split, *_: Any) -> Any:
        self.fits.append(self.l2)
        return Fitted(self.l2 - 0.5)


def searched(
    folder: Path, trials: int, generation: int = 4, first: Settings | None = None
) -> tuple[list[Trial], list[float], list[tuple[int, int]]]:
    fits: list[float] = []
    told: list[Trial] = []
    progress: list[tuple[int, int]] = []
    with open_study(folder, "test", "same", SPACE, 0, False) as study:
        search(
            study,
            lambda settings: Learner(settings["training.l2"], fits),  # type: ignore[arg-type,return-value]
            TARGETS,
            SPLITS,
            trials,
            first,
            generation,
            told.append,
            lambda done, total: progress.append((done, total)),
        )
        assert study.trials[-len(told) :] == told or not told
    return told, fits, progress


def test_every_trial_is_tried_in_every_fold_until_there_are_enough(tmp_path: Path) -> None:
    told, fits, progress = searched(tmp_path, 6, first={"training.l2": 0.75})
    assert [trial.number for trial in told] == list(range(6))
    assert told[0].settings == {"training.l2": 0.75}
    assert told[0].scores == (1.0, 1.0)
    assert told[0].folds[1].test.tolist() == [[0.25], [0.0]] * 3
    assert sorted(fits) == sorted(2 * [float(trial.settings["training.l2"]) for trial in told])
    assert progress == [(4, 12), (8, 12), (10, 12), (12, 12)]
    assert all(trial.started <= trial.ended for trial in told)
    # Positives below negatives, 1 0 1 0: hits at ranks 3 and 4, which are tied: AP 2/4.
    assert {trial.scores for trial in told} <= {(1.0, 1.0), (0.5, 0.5)}


def test_it_goes_on_where_it_was_left(tmp_path: Path) -> None:
    first, _, _ = searched(tmp_path, 4)
    more, fits, progress = searched(tmp_path, 6)
    assert [trial.number for trial in more] == [4, 5]
    assert len(fits) == 4
    assert progress == [(10, 12), (12, 12)]
    assert searched(tmp_path, 6)[1] == []


def test_the_trials_do_not_depend_on_the_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    fit = Learner.fit

    def watched(self: Learner, split: Split, *rest: Any) -> Any:
        threads.add(threading.current_thread().name)
        return fit(self, split, *rest)

    monkeypatch.setattr(Learner, "fit", watched)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    several = searched(tmp_path / "several", 16)[0]
    assert all(name.startswith("trial") for name in threads)
    threads.clear()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    alone = searched(tmp_path / "alone", 16)[0]
    assert threads == {threading.main_thread().name}
    assert [trial.settings for trial in alone] == [trial.settings for trial in several]
    assert [trial.scores for trial in alone] == [trial.scores for trial in several]


def test_a_trial_that_falls_behind_is_stopped_after_its_first_fold(tmp_path: Path) -> None:
    told, fits, _ = searched(tmp_path, 40)
    pruned = [trial for trial in told if trial.pruned]
    assert pruned
    assert all(trial.number >= RANDOM_TRIALS for trial in pruned)
    assert {trial.scores for trial in pruned} == {(0.5,)}
    assert len(fits) == 2 * (40 - len(pruned)) + len(pruned)


def test_an_error_in_a_thread_is_told_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Learner, split: Split) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Learner, "fit", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        searched(tmp_path, 4)
    monkeypatch.undo()
    assert [trial.number for trial in searched(tmp_path, 4)[0]] == [0, 1, 2, 3]


def test_a_training_that_diverged_scores_nothing() -> None:
    found = result(Fitted(float("nan")), SPLITS[0], TARGETS)  # type: ignore[arg-type]
    assert found.score == 0
    assert found.validation.tolist() == [[0.0]] * 4
    assert found.test.tolist() == [[0.0]] * 6
