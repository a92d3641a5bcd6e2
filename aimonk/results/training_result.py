"""The result of `aimonk train`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..evaluation.comparison import Decision
from ..evaluation.learning_curve import LearningCurve
from .evaluation_result import EvaluationResult
from .presentation import without_nan

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, kw_only=True)
class TrainingResult(EvaluationResult):
    """A registered model, the evidence for each attribute, and whether it became the champion."""

    decision: Decision
    curve: LearningCurve | None = None
    """What more labelled images would bring; None where it was not measured."""

    def to_json(self) -> dict[str, Any]:
        """Return a plain object; what is not defined is None."""
        promotion = {"promoted": self.decision.promote, "reason": self.decision.reason}
        curve = without_nan(self.curve.to_json()) if self.curve else None
        return {**super().to_json(), "promotion": promotion, "learning_curve": curve}

    def summary(self) -> list[RenderableType]:
        """Return the verdict, the table of attributes, the gate's decision, and where everything is."""
        from rich.text import Text

        from ..reporting.curve_wording import curve_story

        *found, where = super().summary()
        story = [Text(" ".join(curve_story(self.curve))), Text()] if self.curve else []
        return [*found, *story, Text(self.decision.reason), where]
