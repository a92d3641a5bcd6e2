"""What a report is made of, collected in one record by whoever ran the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..data.label_audit import Audit
from ..evaluation.evidence import Evidence
from ..evaluation.label_errors import Suspect
from ..evaluation.thresholds import OperatingPoint
from ..training.history import History

Resolver = Callable[[str], Path | None]
"""From an image's name in the labels to its file, or None where there is none."""


def no_pictures(_name: str) -> Path | None:
    """Find no picture for any image: the resolver of a report without pictures."""
    return None


@dataclass(frozen=True)
class Predictions:
    """Scores of held-out images. Columns are the attributes, in the order of the labels file.

    `targets` is `(N, L) float32` with `MISSING`; `probabilities` is `(N, L)`, calibrated where the
    model is; `uncalibrated` is the same before calibration, None when there was none.
    """

    images: tuple[str, ...]
    targets: np.ndarray
    probabilities: np.ndarray
    uncalibrated: np.ndarray | None = None


@dataclass(frozen=True)
class ReportData:
    """Everything a report can show. Whatever is None or empty is left out of the page.

    `ece_before` and `ece_after` are `(L,)` expected calibration errors, in the order of the labels
    file; `facts` are shown as they are, in order; `seconds` is the time of each stage.
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
    """What the gate decided and why, in one sentence."""
    trained_on: int | None = None
    """How many images the shipped model is trained on."""
    refitted: bool = False
    """Those that are reported are among them, so it is another model than the one that was scored."""
    warnings: tuple[str, ...] = ()
    loss_title: str = "Aimonk_multilabel_problem"
    alpha: float = 0.05
    permutations: int = 10_000
    resamples: int = 2_000

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in the order of the labels file."""
        if self.evidence:
            return tuple(a.name for a in self.evidence.attributes)
        return tuple(a.name for a in self.audit.attributes) if self.audit else ()

    @property
    def thresholds(self) -> np.ndarray:
        """`(L,) float64`: the chosen threshold of each attribute, 0.5 where none is recorded."""
        chosen = {point.name: point.threshold for point in self.operating_points}
        return np.array([chosen.get(name, 0.5) for name in self.attributes])
