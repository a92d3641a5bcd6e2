"""Scores of images that nothing was learned from: of one test set, or of every image, fold by fold.

Both ways keep three kinds of image apart: those a model is trained on, those on which training stops and
thresholds and calibration are chosen, and those that are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit

from ..config import EvaluationConfig, SplitConfig
from ..data.dataset import Dataset
from ..data.split import Split, fold_numbers, grouped_split
from ..errors import ConfigError
from .calibration import Calibration, fit_calibration
from .held_out import HeldOutScores
from .thresholds import choose_thresholds


class Scorer(Protocol):
    """A fitted model."""

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """`(n, L)` raw logits of the images with these indices."""


@dataclass(frozen=True)
class FoldLogits:
    """Raw logits of the images that one fit was not trained on, in the order of its split."""

    split: Split
    validation: np.ndarray
    """`(v, L) float32`."""
    test: np.ndarray
    """`(t, L) float32`."""


@dataclass(frozen=True)
class Operation:
    """How a shipped model answers: its calibration, and `(L,)` thresholds on calibrated probabilities."""

    calibration: Calibration
    thresholds: np.ndarray


def score_fold(model: Scorer, split: Split) -> FoldLogits:
    """Take the logits of a fit while it is there; the model itself need not be kept.

    Raises:
        ConfigError: the training diverged, so that logits are not finite.
    """
    found = FoldLogits(split, model.logits(split.validation), model.logits(split.test))
    if not (np.isfinite(found.validation).all() and np.isfinite(found.test).all()):
        raise ConfigError("The training diverged: its scores are not finite; lower the learning rate.")
    return found


def fold_splits(
    targets: np.ndarray,
    groups: np.ndarray,
    config: SplitConfig,
    folds: int,
    numbers: np.ndarray | None = None,
) -> tuple[Split, ...]:
    """Return a split per fold, which tests on the fold and validates on a part of the others.

    `numbers` `(N,)` says which fold each image is in, where that is settled already.
    """
    if numbers is None:
        numbers = fold_numbers(targets, groups, folds, config.seed)
    splits = []
    for fold in range(folds):
        rest = np.flatnonzero(numbers != fold)
        inner = SplitConfig(test=config.validation or 0.5, validation=0.0, seed=config.seed + fold)
        part = grouped_split(targets[rest], groups[rest], inner) if config.validation else None
        train = rest[part.train] if part else rest
        validation = rest[part.test] if part else rest[:0]
        splits.append(Split(train=train, validation=validation, test=np.flatnonzero(numbers == fold)))
    return tuple(splits)


def held_out_scores(
    parts: Sequence[FoldLogits], dataset: Dataset, config: EvaluationConfig
) -> tuple[HeldOutScores, Operation]:
    """Collect the test images of one split, or of all folds, and choose how the shipped model answers.

    Calibration and thresholds of each part come from its own validation images. With several folds the
    shipped model is trained on all images, so its calibration and thresholds come from the raw out-of-fold
    logits. Nothing is reported at those: what is reported was chosen without the image in question.
    """
    rows = np.concatenate([part.split.test for part in parts])
    folds = np.repeat(np.arange(len(parts)), [len(part.split.test) for part in parts])
    order = np.argsort(rows, kind="stable")
    operations = [
        _choose(dataset.targets[chosen], part.validation, dataset.groups[chosen], config)
        for part in parts
        for chosen in (part.split.validation,)
    ]
    rows = rows[order]
    logits, probabilities, thresholds = (np.empty((len(rows), dataset.targets.shape[1])) for _ in range(3))
    for part, own in zip(parts, operations, strict=True):
        places = np.searchsorted(rows, part.split.test)
        logits[places] = part.test
        probabilities[places] = expit(own.calibration.apply(part.test))
        thresholds[places] = own.thresholds
    scores = HeldOutScores(
        attributes=dataset.attributes,
        images=tuple(dataset.names[row] for row in rows),
        digests=tuple(dataset.digests[row] for row in rows),
        groups=dataset.groups[rows],
        folds=folds[order],
        targets=dataset.targets[rows],
        logits=logits,
        probabilities=probabilities,
        thresholds=thresholds,
    )
    if len(parts) == 1:
        return scores, operations[0]
    return scores, _choose(scores.targets, scores.logits, scores.groups, config)


def _choose(
    targets: np.ndarray, logits: np.ndarray, groups: np.ndarray, config: EvaluationConfig
) -> Operation:
    """Choose calibration and thresholds on images that the model was not trained on."""
    attributes = targets.shape[1]
    calibration = (
        fit_calibration(targets, logits, groups)
        if config.calibrate and len(targets)
        else Calibration(np.ones(attributes), np.zeros(attributes))
    )
    probabilities = expit(calibration.apply(logits))
    return Operation(calibration, choose_thresholds(targets, probabilities, config.threshold, groups))
