"""Scores for images that nothing was learned from: of one test set, or of every image, fold by fold.

Both ways keep three kinds of image apart: those the model is trained on, those on which training
stops and thresholds and calibration are chosen, and those that are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit

from ..config import EvaluationConfig, SplitConfig
from ..data.split import Split, fold_numbers, grouped_split
from .calibration import Calibration, fit_calibration
from .thresholds import choose_thresholds


class Fitted(Protocol):
    """A trained model."""

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)` raw logits of the images with these indices."""


Fit = Callable[[Split], Fitted]
"""Trains on `split.train`, stops on `split.validation`, and never looks at `split.test`."""


@dataclass(frozen=True)
class HeldOutScores:
    """What is known of the reported images, n of them, and how a shipped model should answer.

    `logits` are raw, `probabilities` calibrated, both `(n, L)`; `thresholds` `(n, L)` are those that
    were chosen without the image in that row. `folds` `(n,)` is None for a single test set.
    """

    rows: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    thresholds: np.ndarray
    folds: np.ndarray | None
    shipped_calibration: Calibration
    shipped_thresholds: np.ndarray
    """`(L,)`: for a model that is trained the same way and answers for new images."""


def no_calibration(attributes: int) -> Calibration:
    """The identity."""
    return Calibration(np.ones(attributes), np.zeros(attributes))


def _choose(
    targets: np.ndarray, logits: np.ndarray, config: EvaluationConfig
) -> tuple[Calibration, np.ndarray]:
    """Calibration and thresholds from images on which the model was not trained."""
    attributes = targets.shape[1]
    calibration = (
        fit_calibration(targets, logits) if config.calibrate and len(targets) else no_calibration(attributes)
    )
    return calibration, choose_thresholds(targets, expit(calibration.apply(logits)), config.threshold)


def hold_out(fitted: Fitted, targets: np.ndarray, split: Split, config: EvaluationConfig) -> HeldOutScores:
    """Score `split.test` by a model fitted on `split.train`, choosing on `split.validation`."""
    chosen = fitted.logits(split.validation)
    calibration, thresholds = _choose(targets[split.validation], chosen, config)
    logits = fitted.logits(split.test)
    return HeldOutScores(
        rows=split.test,
        logits=logits,
        probabilities=expit(calibration.apply(logits)),
        thresholds=np.broadcast_to(thresholds, logits.shape),
        folds=None,
        shipped_calibration=calibration,
        shipped_thresholds=thresholds,
    )


def fold_splits(
    targets: np.ndarray, groups: np.ndarray, config: SplitConfig, folds: int
) -> tuple[np.ndarray, list[Split]]:
    """Fold numbers `(N,)` and, per fold, a split that tests on it and validates on a part of the rest."""
    numbers = fold_numbers(targets, groups, folds, config.seed)
    splits = []
    for fold in range(folds):
        rest = np.flatnonzero(numbers != fold)
        inner = SplitConfig(test=config.validation, validation=0.0, seed=config.seed + fold)
        part = grouped_split(targets[rest], groups[rest], inner) if config.validation else None
        train = rest[part.train] if part else rest
        validation = rest[part.test] if part else rest[:0]
        splits.append(Split(train=train, validation=validation, test=np.flatnonzero(numbers == fold)))
    return numbers, splits


def cross_fit(
    fitted: Sequence[Fitted],
    targets: np.ndarray,
    numbers: np.ndarray,
    splits: list[Split],
    config: EvaluationConfig,
) -> HeldOutScores:
    """Score every image by the model of the fold that it was kept out of.

    Calibration and thresholds of a fold come from its own validation images. Those of the shipped
    model, which is trained on all images afterwards, come from the raw out-of-fold logits: no image
    that they are reported on is left, and none is reported.
    """
    raw = np.empty(targets.shape, dtype=np.float64)
    probabilities, thresholds = np.empty_like(raw), np.empty_like(raw)
    for model, split in zip(fitted, splits, strict=True):
        part = hold_out(model, targets, split, config)
        raw[split.test] = part.logits
        probabilities[split.test] = part.probabilities
        thresholds[split.test] = part.thresholds
    calibration, shipped = _choose(targets, raw, config)
    return HeldOutScores(
        rows=np.arange(len(targets)),
        logits=raw,
        probabilities=probabilities,
        thresholds=thresholds,
        folds=numbers,
        shipped_calibration=calibration,
        shipped_thresholds=shipped,
    )
