"""A trained model that is about to be published, and what the images it did not see say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..data.split import Split
from ..evaluation.cross_validation import Operation
from ..evaluation.evidence import Evidence
from ..evaluation.held_out import HeldOutScores
from ..evaluation.learning_curve import LearningCurve
from ..evaluation.shortcuts import Shortcut
from ..evaluation.thresholds import OperatingPoint, operating_points
from ..reviewing.reviewed_training import AfterReview
from ..training.history import History
from ..training.learner import FittedModel


@dataclass(frozen=True)
class Candidate:
    """What ships, and the evidence for it."""

    model: FittedModel
    history: History
    """Of all trainings whose losses were logged, that of the shipped model last."""
    rows: np.ndarray
    """`(n,)` indices of the images it was trained on."""
    split: Split
    """How images were kept apart; with folds, all are for training."""
    scores: HeldOutScores
    operation: Operation
    evidence: Evidence
    curve: LearningCurve | None = None
    """What more labeled images would bring, where that was measured."""
    review: AfterReview | None = None
    """What was gained over the training that the labels were reviewed with."""
    shortcuts: tuple[Shortcut, ...] = ()
    """What predicts an attribute without being in the picture."""

    @cached_property
    def operating_points(self) -> tuple[OperatingPoint, ...]:
        """Precision, recall and F1 per attribute, each image at a threshold chosen without it.

        The threshold beside them is the one that the model answers with: of several folds, each has its own.
        """
        scores = self.scores
        points = operating_points(scores.targets, scores.probabilities, scores.thresholds, scores.attributes)
        served = self.operation.thresholds.tolist()
        return tuple(replace(point, threshold=own) for point, own in zip(points, served, strict=True))

    @property
    def pos_weights(self) -> dict[str, float]:
        """By attribute, as the shipped model's loss used them."""
        return dict(zip(self.scores.attributes, map(float, self.model.pos_weights), strict=True))

    @property
    def learned(self) -> str:
        """For example `3/4`: attributes with evidence, of all."""
        return f"{len(self.evidence.learned)}/{len(self.evidence.attributes)}"
