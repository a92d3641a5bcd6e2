"""The result of `aimonk train`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..evaluation.comparison import Decision
from .evaluation_result import EvaluationResult

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, kw_only=True)
class TrainingResult(EvaluationResult):
    """A registered model, the evidence for each attribute, and whether it became the champion."""

    decision: Decision

    def to_json(self) -> dict[str, Any]:
        """Return a plain object; what is not defined is None."""
        promotion = {"promoted": self.decision.promote, "reason": self.decision.reason}
        return {**super().to_json(), "promotion": promotion}

    def summary(self) -> list[RenderableType]:
        """Return the verdict, the table of attributes, the gate's decision, and where everything is."""
        from rich.text import Text

        *found, where = super().summary()
        return [*found, Text(self.decision.reason), where]
