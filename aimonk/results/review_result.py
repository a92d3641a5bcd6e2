"""The result of `aimonk review`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..reviewing.corrected_labels import Corrections
from ..reviewing.review_tally import ReviewTally
from .presentation import Result, without_nan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class ReviewResult(Result):
    """What was asked and answered, and what it changes in the labels."""

    journal: Path
    out: Path | None
    """The corrected labels; None if they were not written."""
    cells: int
    """Cells that this review asks about."""
    open: int
    """Those among them that the reviewer has not answered."""
    corrections: Corrections
    tally: ReviewTally
    warnings: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """A row per reviewer: name, answers of each kind, controls, contradicted, error rate."""
        import pandas as pd

        return pd.DataFrame(self.to_json()["reviewers"])

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        changes = self.corrections
        reviewers = [
            {
                "name": one.name,
                **{word: one.answers.get(word, 0) for word in ("present", "absent", "unclear", "skipped")},
                "controls": one.controls,
                "contradicted": one.contradicted,
                "error_rate": dataclasses.asdict(one.error_rate),
            }
            for one in self.tally.reviewers
        ]
        answer: dict[str, Any] = without_nan(
            {
                "journal": str(self.journal),
                "out": str(self.out) if self.out else None,
                "cells": self.cells,
                "open": self.open,
                "filled": changes.filled,
                "flipped": changes.flipped,
                "removed": changes.removed,
                "confirmed": changes.confirmed,
                "unmatched": [list(place) for place in changes.unmatched],
                "disputed": [list(place) for place in self.tally.disputed],
                "reviewers": reviewers,
                "warnings": list(self.warnings),
            }
        )
        return answer

    def summary(self) -> list[RenderableType]:
        """Return the progress, the corrections, and each reviewer's reliability."""
        from rich.text import Text

        changes = self.corrections
        lines = [
            f"{self.cells - self.open} of {self.cells} cells answered; the answers are in {self.journal}.",
            f"{changes.flipped} labels flipped, {changes.filled} filled, {changes.removed} removed, "
            f"{changes.confirmed} confirmed.",
        ]
        for one in self.tally.reviewers:
            if one.controls:
                rate = one.error_rate
                lines.append(
                    f"{one.name} contradicted {one.contradicted} of {one.controls} control labels that the "
                    f"model confirms: an error rate of {rate.value:.1%} (95% interval {rate.low:.1%} to "
                    f"{rate.high:.1%})."
                )
        if self.tally.disputed:
            lines.append(f"Reviewers disagree on {len(self.tally.disputed)} cells; the last answer counts.")
        if changes.unmatched:
            lines.append(f"{len(changes.unmatched)} answers are about cells that the labels do not have.")
        if self.out:
            lines.append(f"The corrected labels are in {self.out}.")
        return [Text(line) for line in lines]
