"""The result of `aimonk train`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..evaluation.comparison import Decision
from ..evaluation.learning_curve import LearningCurve
from ..reviewing.reviewed_training import AfterReview
from .evaluation_result import EvaluationResult
from .presentation import without_nan

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, kw_only=True)
class TrainingResult(EvaluationResult):
    """A registered model, the evidence for each attribute, and whether it became the champion."""

    decision: Decision
    curve: LearningCurve | None = None
    """What more labeled images would bring; None where it was not measured."""
    review: AfterReview | None = None
    """The comparison with the training that the labels were reviewed with; None where they were not."""

    def to_json(self) -> dict[str, Any]:
        """Return a plain object; what is not defined is None."""
        promotion = {"promoted": self.decision.promote, "reason": self.decision.reason}
        curve = without_nan(self.curve.to_json()) if self.curve else None
        review = without_nan(asdict(self.review)) if self.review else None
        return {**super().to_json(), "promotion": promotion, "learning_curve": curve, "review": review}

    def summary(self) -> list[RenderableType]:
        """Return the verdict, the table of attributes, the gate's decision, and where everything is."""
        from rich.text import Text

        from ..reporting.curve_wording import curve_story
        from ..reporting.review_wording import review_story

        *found, where = super().summary()
        story = [Text(" ".join(curve_story(self.curve))), Text()] if self.curve else []
        if self.review:
            story += [*map(Text, review_story(self.review)), Text()]
        return [*found, *story, Text(self.decision.reason), where]
