"""What is kept of a trial: enough to choose among trials and to report the choice, without fitting again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_files import write_whole
from ..training.history import History
from .space import Settings


@dataclass(frozen=True)
class FoldResult:
    """One fit, on the training images of one fold."""

    score: float
    """Mean average precision on the validation images, by which settings are chosen."""
    best_epoch: int
    validation: np.ndarray
    """`(v, L) float32` raw logits of the fold's validation images, in the order of its split."""
    test: np.ndarray
    """`(t, L) float32` raw logits of its test images."""


@dataclass(frozen=True)
class Trial:
    """Settings tried in the first few folds, or in all."""

    number: int
    settings: Settings
    folds: tuple[FoldResult, ...]
    pruned: bool
    """It was stopped early, for being worse than most others."""
    history: History
    """Of the first fold."""
    started: float
    """Seconds since 1970."""
    ended: float

    @property
    def scores(self) -> tuple[float, ...]:
        """Of the folds it was tried in."""
        return tuple(fold.score for fold in self.folds)

    @property
    def score(self) -> float:
        """Mean over the folds it was tried in."""
        return float(np.mean(self.scores))

    @property
    def epochs(self) -> int:
        """How long the folds had to be trained: the median of their best epochs."""
        return max(1, round(float(np.median([fold.best_epoch for fold in self.folds]))))


def write_trial(path: Path, trial: Trial) -> None:
    """Keep a trial as npz; the file is there whole or not at all.

    Raises:
        FeatureStoreError: the disk is full, or the folder cannot be written to.
    """
    facts = {
        "number": trial.number,
        "settings": dict(trial.settings),
        "scores": trial.scores,
        "best_epochs": [fold.best_epoch for fold in trial.folds],
        "pruned": trial.pruned,
        "history": {
            "epoch_steps": trial.history.epoch_steps,
            "validation_losses": trial.history.validation_losses,
            "best_epoch": trial.history.best_epoch,
        },
        "started": trial.started,
        "ended": trial.ended,
    }
    arrays: dict[str, np.ndarray] = {
        "facts": np.array(json.dumps(facts)),
        "iteration_losses": trial.history.iteration_losses,
    }
    for place, fold in enumerate(trial.folds):
        arrays[f"validation_{place}"], arrays[f"test_{place}"] = fold.validation, fold.test
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_whole(path, buffer.getbuffer())


def read_trial(path: Path) -> Trial | None:
    """Read what `write_trial` wrote; None where the file is absent or damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return _trial(json.loads(str(arrays["facts"])), arrays)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _trial(facts: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Trial:
    history = facts["history"]
    results = enumerate(zip(facts["scores"], facts["best_epochs"], strict=True))
    return Trial(
        number=facts["number"],
        settings=facts["settings"],
        folds=tuple(
            FoldResult(score, epoch, arrays[f"validation_{place}"], arrays[f"test_{place}"])
            for place, (score, epoch) in results
        ),
        pruned=facts["pruned"],
        history=History(
            arrays["iteration_losses"],
            tuple(history["epoch_steps"]),
            tuple(history["validation_losses"]),
            history["best_epoch"],
        ),
        started=facts["started"],
        ended=facts["ended"],
    )
