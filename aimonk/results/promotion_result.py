"""The result of `aimonk promote`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..evaluation.comparison import Comparison, Decision
from .presentation import Result

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class PromotionResult(Result):
    """What the gate decided about a version, and the comparison with the champion that it rests on."""

    name: str
    version: str
    champion_before: str | None
    """The version that was champion; None where there was none."""
    decision: Decision
    comparison: Comparison | None

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {
            "name": self.name,
            "version": self.version,
            "champion_before": self.champion_before,
            "promoted": self.decision.promote,
            "reason": self.decision.reason,
        }

    def summary(self) -> list[RenderableType]:
        """Return the comparison, where there was a champion, and the decision."""
        from rich.text import Text

        from ..reporting.terminal import comparison_table

        table = [comparison_table(self.comparison)] if self.comparison else []
        return [*table, Text(self.decision.reason)]
