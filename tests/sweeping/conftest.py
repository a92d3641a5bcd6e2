"""Trials and studies without a training behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aimonk.sweeping.space import Choice, Range, Settings, Space
from aimonk.sweeping.trials import FoldResult, Trial
from aimonk.training.history import History

from ..tracking.conftest import empty_store, store  # noqa: F401

SETTINGS: Settings = {"training.l2": 0.01, "training.loss": "focal"}


def make_trial(
    number: int,
    scores: Sequence[float],
    settings: Settings = SETTINGS,
    pruned: bool = False,
    epochs: Sequence[int] = (),
) -> Trial:
    """A trial with two validation and three test images per fold, and two attributes."""
    generator = np.random.default_rng(number)
    folds = tuple(
        FoldResult(
            score,
            epochs[fold] if epochs else 3,
            generator.normal(size=(2, 2)).astype(np.float32),
            generator.normal(size=(3, 2)).astype(np.float32),
        )
        for fold, score in enumerate(scores)
    )
    history = History(np.array([0.75, 0.25, 0.5, 0.125], np.float32), (2, 4), (0.5, 0.375), 2)
    return Trial(number, settings, folds, pruned, history, 1000.0 + number, 1000.5 + number)


@pytest.fixture
def space() -> Space:
    return Space(
        {
            "training.l2": Range(1e-4, 1.0, log=True),
            "training.pos_weight_power": Range(0.0, 1.0),
            "training.loss": Choice(("weighted_bce", "focal")),
        }
    )
