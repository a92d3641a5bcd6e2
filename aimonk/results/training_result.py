"""What a training or an evaluation has found: for people as a summary, for programs as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..evaluation.comparison import Decision
from ..evaluation.evidence import Evidence
from ..evaluation.thresholds import OperatingPoint

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Outcome:
    """The answer of `aimonk train` and `aimonk evaluate`."""

    run_id: str
    model_uri: str
    version: str
    images: int
    """Images with labels that were read."""
    sets: dict[str, int]
    """Images trained on, used for choosing, and reported."""
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    seconds: dict[str, float]
    """Wall clock, by stage."""
    pos_weights: dict[str, float]
    """By attribute, of the images trained on."""
    evidence: Evidence
    operating_points: tuple[OperatingPoint, ...]
    warnings: tuple[str, ...] = ()
    decision: Decision | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """What else a program may want: backbone, weights, precision, forward passes, ..."""

    def to_json(self) -> dict[str, Any]:
        """A plain object; what is not defined is null."""
        promotion = None
        if self.decision is not None:
            promotion = {"promoted": self.decision.promote, "reason": self.decision.reason}
        answer = {
            "run_id": self.run_id,
            "model_uri": self.model_uri,
            "version": self.version,
            "verdict": self.evidence.headline,
            "images": self.images,
            "sets": self.sets,
            "missing": list(self.missing),
            "unreadable": list(self.unreadable),
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "pos_weights": self.pos_weights,
            "folds": self.evidence.folds,
            "mAP": self.evidence.mean_ap.value,
            "mAP_low": self.evidence.mean_ap.low,
            "mAP_high": self.evidence.mean_ap.high,
            "AUC": self.evidence.mean_auc.value,
            "AUC_low": self.evidence.mean_auc.low,
            "AUC_high": self.evidence.mean_auc.high,
            "attributes": self._attributes(),
            "promotion": promotion,
            "warnings": list(self.warnings),
            **self.facts,
        }
        return without_nan(answer)

    def _attributes(self) -> list[dict[str, Any]]:
        return [
            {
                "name": found.name,
                "positives": found.positives,
                "negatives": found.negatives,
                "ap": found.ap.value,
                "ap_low": found.ap.low,
                "ap_high": found.ap.high,
                "prevalence": found.prevalence,
                "auc": found.auc.value,
                "auc_low": found.auc.low,
                "auc_high": found.auc.high,
                "p_value": found.p_value,
                "p_raw": found.p_raw,
                "verdict": str(found.verdict),
                "threshold": point.threshold,
                "precision": point.precision,
                "recall": point.recall,
                "f1": point.f1,
                "f1_at_half": point.f1_at_half,
                "f1_always_yes": point.f1_always_yes,
            }
            for found, point in zip(self.evidence.attributes, self.operating_points, strict=True)
        ]

    def summary(self) -> list[RenderableType]:
        """The verdict first, then the table of attributes, the gate's decision, and where everything is."""
        from rich.text import Text

        from ..reporting.terminal import evidence_table

        lines: list[RenderableType] = [evidence_table(self.evidence, self.operating_points)]
        if self.decision is not None:
            lines.append(Text(self.decision.reason))
        lines.append(Text(f"Model {self.model_uri}, run {self.run_id}, {sum(self.seconds.values()):.0f} s"))
        return lines


def evidence_metrics(evidence: Evidence, points: Iterable[OperatingPoint]) -> dict[str, float]:
    """What a run tells of the evidence as MLflow metrics, the means first, then by attribute."""
    metrics = {
        "mAP": evidence.mean_ap.value,
        "mAP_low": evidence.mean_ap.low,
        "mAP_high": evidence.mean_ap.high,
        "AUC": evidence.mean_auc.value,
        "AUC_low": evidence.mean_auc.low,
        "AUC_high": evidence.mean_auc.high,
        "learned": len(evidence.learned),
    }
    for found, point in zip(evidence.attributes, points, strict=True):
        metrics |= {
            f"ap/{found.name}": found.ap.value,
            f"auc/{found.name}": found.auc.value,
            f"p_value/{found.name}": found.p_value,
            f"prevalence/{found.name}": found.prevalence,
            f"f1/{found.name}": point.f1,
            f"threshold/{found.name}": point.threshold,
        }
    return metrics


def without_nan(value: Any) -> Any:
    """The same structure with null for nan and infinities, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
