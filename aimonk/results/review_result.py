"""The result of `aimonk review`."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.review_bias import FEWEST_ERRORS, ReviewedPrecision
from ..reporting.review_wording import comparison_lines
from ..reviewing.corrected_labels import Corrections
from ..reviewing.review_tally import ReviewerTally, ReviewTally
from ..reviewing.reviewed_cells import RunComparison
from .presentation import Result, without_nan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class ReviewResult(Result):
    """What was asked and answered, and what it changes in the labels."""

    run: str
    """Whose scores said what is doubtful."""
    journal: Path
    out: Path | None
    """The corrected labels; None if they were not written."""
    cells: int
    """Cells that this review asks about."""
    open: int
    """Those among them that the reviewer has not answered."""
    corrections: Corrections
    tally: ReviewTally
    precision: ReviewedPrecision
    """The run's average precision under given, corrected and right labels."""
    against: str = ""
    """A later run that it is compared with."""
    comparison: RunComparison | None = None
    warnings: tuple[str, ...] = ()
    run_id: str = ""
    """The run that records the review; empty while nothing is answered."""

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
                "run_id": self.run_id or None,
                "run": self.run,
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
                "average_precision": dataclasses.asdict(self.precision),
                "against": self.against or None,
                "comparison": dataclasses.asdict(self.comparison) if self.comparison else None,
                "warnings": list(self.warnings),
            }
        )
        return answer

    def summary(self) -> list[RenderableType]:
        """Return progress, corrections, each reviewer's reliability, and what the model scores."""
        from rich.text import Text

        changes = self.corrections
        lines = [
            f"{self.cells - self.open} of {self.cells} cells answered"
            + (
                f"; the answers are in {self.journal}."
                if self.cells > self.open
                else "; there is no answer yet."
            ),
            f"{changes.flipped} labels flipped, {changes.filled} filled, {changes.removed} removed, "
            f"{changes.confirmed} confirmed.",
        ]
        lines += [_reliability(one) for one in self.tally.reviewers if one.controls]
        if self.tally.disputed:
            lines.append(f"Reviewers disagree on {len(self.tally.disputed)} cells; the last answer counts.")
        if changes.unmatched:
            lines.append(f"{len(changes.unmatched)} answers are about cells that the labels do not have.")
        if self.precision.controls:
            lines += _precision(self.precision)
        if self.comparison:
            lines.append(f"Mean AP of run {self.against} less that of this one, on the same images:")
            lines += comparison_lines(self.comparison)
        if self.out:
            answered = self.cells > self.open
            lines.append(
                f"The corrected labels are in {self.out}."
                if answered
                else f"{self.out} has your labels as they are."
            )
        return [Text(line) for line in lines]


def _reliability(one: ReviewerTally) -> str:
    rate = one.error_rate
    return (
        f"{one.name} contradicted {one.contradicted} of {one.controls} control labels that the model "
        f"confirms, an error rate of {rate.value:.1%} (95% interval {rate.low:.1%} to {rate.high:.1%})."
    )


def _precision(found: ReviewedPrecision) -> list[str]:
    right = found.unbiased
    lines = [
        f"Average precision over the cells of {found.attributes} attributes: {found.given:.3f} under the "
        f"given labels, {found.naive:.3f} under the corrected ones. The latter is biased, since mostly "
        "labels that the model doubts were corrected."
    ]
    if math.isfinite(right.low):
        lines.append(
            f"Free of that bias, by all {found.controls} random controls, whether the model confirms them or "
            f"not: {right.value:.3f} (95% interval {right.low:.3f} to {right.high:.3f})."
        )
    else:
        lines.append(
            f"A figure free of that bias needs {FEWEST_ERRORS} wrong labels among all random controls, those "
            f"that the model doubts included; there are {found.errors} among {found.controls}."
        )
    return lines
