"""The result of `aimonk fill`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.labels.filled_cells import FilledCell
from ..evaluation.vouching import Promise, Vouched
from ..reporting.formatting import count, listing, number, percent, plural
from .presentation import Result, without_nan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class FillResult(Result):
    """Which missing labels are filled, by which thresholds, and why the others are not."""

    model_uri: str
    training_run: str
    """The run whose held-out scores vouch for the cells."""
    promise: Promise
    attributes: tuple[Vouched, ...]
    missing: dict[str, int]
    """Missing labels before, by attribute."""
    cells: tuple[FilledCell, ...]
    out: Path
    companion: Path
    run_id: str = ""
    """The run that records the fill; empty before anything is written."""
    format: str = ""
    """What `out` was written as; empty before."""
    warnings: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """A row per filled cell, as the companion file has them."""
        import pandas as pd

        return pd.DataFrame([asdict(cell) for cell in self.cells], columns=list(FilledCell.__annotations__))

    def filled(self, attribute: str, value: int) -> int:
        """Return how many cells of an attribute are filled with a value."""
        return self._counts()[attribute, value]

    def coverage(self) -> list[dict[str, Any]]:
        """Return the figures of each attribute by name."""
        counts = self._counts()
        return [
            {
                "name": found.name,
                "missing": self.missing[found.name],
                "filled_present": counts[found.name, 1],
                "filled_absent": counts[found.name, 0],
                "present_from": found.present,
                "absent_to": found.absent,
                "positives": found.positives,
                "negatives": found.negatives,
                "reason": found.reason,
            }
            for found in self.attributes
        ]

    def to_json(self) -> dict[str, Any]:
        """Return a plain object; a threshold that is not there is None."""
        answer = {
            "run_id": self.run_id,
            "model_uri": self.model_uri,
            "training_run": self.training_run,
            "promise": asdict(self.promise),
            "missing": sum(self.missing.values()),
            "filled": len(self.cells),
            "attributes": self.coverage(),
            "out": str(self.out),
            "filled_cells": str(self.companion),
            "format": self.format,
            "warnings": list(self.warnings),
        }
        return dict(without_nan(answer))

    def summary(self) -> list[RenderableType]:
        """Return what is promised, the coverage of each attribute, and where the files are."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
        for place, heading in enumerate(
            ("attribute", "missing", "present", "absent", "left", "present from", "absent to")
        ):
            table.add_column(heading, justify="right" if place else "left", overflow="fold")
        for row in self.coverage():
            present, absent = row["filled_present"], row["filled_absent"]
            table.add_row(
                Text(row["name"]),
                count(row["missing"]),
                count(present),
                count(absent),
                count(row["missing"] - present - absent),
                number(_finite(row["present_from"]), 3),
                number(_finite(row["absent_to"]), 3),
            )
        told: list[RenderableType] = [Text(self.sentence(), style="bold"), Text(), table, Text()]
        return [*told, *map(Text, self.reasons()), *self.files()]

    def sentence(self) -> str:
        """Say how much is filled, and what is promised of it."""
        missing = sum(self.missing.values())
        told = f"{count(len(self.cells))} of {plural(missing, 'missing label')} can be vouched for"
        if not self.cells:
            return f"{told}, so nothing is filled."
        return (
            f"{told}: for each attribute, with {percent(self.promise.confidence)} confidence, at least "
            f"{percent(self.promise.precision)} of what is filled as present and of what is filled as absent "
            f"is right, and at most {percent(self.promise.miss)} of either kind is filled as the other."
        )

    def reasons(self) -> list[str]:
        """Say why values are never filled, with the attributes that each reason holds for."""
        names: dict[str, list[str]] = {}
        for found in self.attributes:
            for reason in filter(None, found.reason.split("; ")):
                names.setdefault(reason, []).append(found.name)
        return [f"{reason[:1].upper()}{reason[1:]}: {listing(who, 40)}." for reason, who in names.items()]

    def files(self) -> list[RenderableType]:
        """Return where the files are, once they are written."""
        from rich.text import Text

        if not self.run_id:
            return []
        listed = (
            f"What was filled is listed in {self.companion}; keep the two together."
            if self.cells
            else "Nothing was filled, so they are your labels as they were."
        )
        told = f"Written to {self.out} ({self.format}). {listed}"
        return [Text(told)]

    def _counts(self) -> Counter[tuple[str, int]]:
        return Counter((cell.attribute, cell.value) for cell in self.cells)


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
