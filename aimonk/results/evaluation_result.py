"""What held-out images said of a model: the result of `aimonk evaluate`, and a part of `aimonk train`'s."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..data.learnable import Unlearnable
from ..evaluation.evidence import Evidence
from ..evaluation.shortcuts import Shortcut
from ..evaluation.thresholds import OperatingPoint
from .presentation import Result, without_nan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True, kw_only=True)
class EvaluationResult(Result):
    """The evidence for each attribute, and where to find the run and the model.

    >>> result.table[["name", "verdict", "ap"]]  # doctest: +SKIP
    """

    run_id: str
    model_uri: str
    """Empty for a training whose tracking store was away at the end."""
    version: str
    """The registered version as text; empty for a model that is not registered."""
    images: int
    """Images with labels that were read."""
    sets: dict[str, int]
    """Images trained on, used for choosing, and reported."""
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    seconds: dict[str, float]
    """Wall clock, by stage."""
    pos_weights: dict[str, float]
    """By attribute, as the training's loss used them."""
    evidence: Evidence
    operating_points: tuple[OperatingPoint, ...]
    unlearnable: tuple[Unlearnable, ...] = ()
    """Attributes that were left out of the training, with the reason."""
    read_as: dict[str, Any] = field(default_factory=dict)
    """How the labels file was read."""
    warnings: tuple[str, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    """What predicts an attribute without being in the picture; looked for by training alone."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else a program may want: backbone, weights, precision, forward passes, ..."""

    @property
    def table(self) -> pd.DataFrame:
        """A row per attribute: counts, average precision with its interval, verdict, threshold and F1."""
        import pandas as pd

        return pd.DataFrame(self.attributes())

    def to_json(self) -> dict[str, Any]:
        """Return a plain object; what is not defined is None."""
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
            "attributes": self.attributes(),
            "unlearnable": [asdict(attribute) for attribute in self.unlearnable],
            "read_as": self.read_as,
            "warnings": list(self.warnings),
            "shortcuts": [shortcut.to_json() for shortcut in self.shortcuts],
            **self.facts,
        }
        return dict(without_nan(answer))

    def attributes(self) -> list[dict[str, Any]]:
        """Return the figures of each attribute by name, in the order of the labels."""
        return [
            {
                "name": found.name,
                "positives": found.positives,
                "negatives": found.negatives,
                "unknown": found.unknown,
                "positive_groups": found.positive_groups,
                "negative_groups": found.negative_groups,
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
                "too_few": found.too_few,
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
        """Return the verdict, the table of attributes, and where everything is."""
        from rich.text import Text

        from ..reporting.terminal import evidence_table

        model = f"Model {self.model_uri}" if self.model_uri else "The model is not registered"
        where = f"{model}, run {self.run_id}, {sum(self.seconds.values()):.0f} s"
        table = evidence_table(self.evidence, self.operating_points)
        doubts = [Text(f"Possible shortcut: {shortcut.sentence}") for shortcut in self.shortcuts]
        return [table, *doubts, Text(where)]
