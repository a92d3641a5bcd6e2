"""What a report shows, as one record. The publisher fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..data.label_audit import Audit
from ..evaluation.evidence import Evidence
from ..evaluation.label_errors import Suspect
from ..evaluation.learning_curve import LearningCurve
from ..evaluation.shortcuts import Shortcut
from ..evaluation.thresholds import OperatingPoint
from ..training.history import History

Resolver = Callable[[str], Path | None]
"""Maps an image's name in the labels to its file, or to None if there is none."""


def no_pictures(_name: str) -> Path | None:
    """Resolve no image: for a report without pictures."""
    return None


@dataclass(frozen=True)
class Predictions:
    """Predictions for held-out images. Columns are the attributes, in the order of the labels file.

    Args:
        images: N names.
        targets: `(N, L) float32` of 1, 0 and `MISSING`.
        probabilities: `(N, L)`, calibrated if the model is.
        uncalibrated: `(N, L)` before calibration; None if there was none.
    """

    images: tuple[str, ...]
    targets: np.ndarray
    probabilities: np.ndarray
    uncalibrated: np.ndarray | None = None


@dataclass(frozen=True)
class ReportData:
    """Everything a report can show. Sections without data are left out of the page.

    Args:
        facts: name and value of what identifies the run, shown in this order.
        seconds: wall clock by stage.
        ece_before: `(L,)` expected calibration errors before calibration, in the order of the labels file.
        ece_after: `(L,)` the same after calibration.
        picture: finds the file of an image.
        alpha: family-wise error rate of the verdicts.
        permutations: of the permutation test.
        resamples: of the bootstrap.
        read_as: sentences that say how the labels file was read.
    """

    title: str
    created: str
    facts: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    audit: Audit | None = None
    evidence: Evidence | None = None
    operating_points: tuple[OperatingPoint, ...] = ()
    ece_before: np.ndarray | None = None
    ece_after: np.ndarray | None = None
    history: History | None = None
    suspects: tuple[Suspect, ...] = ()
    fillable: tuple[Suspect, ...] = ()
    predictions: Predictions | None = None
    picture: Resolver = no_pictures
    decision: str | None = None
    """The gate's decision and its reason, in one sentence."""
    trained_on: int | None = None
    """Number of images that the published model is trained on."""
    refitted: bool = False
    """Whether the held-out images are among them: then the published model is not the one that was scored."""
    warnings: tuple[str, ...] = ()
    loss_title: str = "Aimonk_multilabel_problem"
    alpha: float = 0.05
    permutations: int = 10_000
    resamples: int = 2_000
    read_as: tuple[str, ...] = ()
    curve: LearningCurve | None = None
    """What more labeled images would bring."""
    review: tuple[str, ...] = ()
    """Sentences on what was gained over the training that the labels were reviewed with."""
    shortcuts: tuple[Shortcut, ...] = ()
    """What predicts an attribute without being in the picture."""
    background: tuple[str, ...] = ()
    """Sentences on attributes whose evidence lies mostly around the subject."""
    overlays: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    """Pictures of where the published model sees an attribute in an image, by both names."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in the order of the labels file."""
        if self.evidence:
            return tuple(a.name for a in self.evidence.attributes)
        return tuple(a.name for a in self.audit.attributes) if self.audit else ()

    @property
    def thresholds(self) -> np.ndarray:
        """`(L,) float64`: the threshold of each attribute, 0.5 if none was chosen."""
        chosen = {point.name: point.threshold for point in self.operating_points}
        return np.array([chosen.get(name, 0.5) for name in self.attributes])
