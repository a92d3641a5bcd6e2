"""The result of `aimonk suggest`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..reporting.formatting import count, number, plural
from .presentation import Result

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

SHOWN = 20
"""Suggestions that the terminal lists; the file has all of them."""


@dataclass(frozen=True)
class Suggestion:
    """One image to label.

    Attributes:
        image: Path relative to the folder.
        missing: How many of the model's attributes it has no label for.
        uncertainty: Entropy of these labels in bits, the mean over all attributes of the model.
        attributes: The labels that the model is least sure of, the least sure first.
        present: Attributes that it shows, by its labels and, where there is none, by the model.
    """

    image: str
    missing: int
    uncertainty: float
    attributes: tuple[str, ...]
    present: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuggestionResult(Result):
    """Images to label next, the most useful first."""

    run_id: str
    model_uri: str
    strategy: str
    pool: int
    """Images that were to choose from."""
    suggestions: tuple[Suggestion, ...]
    out: str = ""
    """File that lists them; empty where none was asked for."""
    warnings: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """What is written: the suggestions, and with tasks for Label Studio their labeling interface."""
        return (self.out, f"{self.out}.xml") if self.for_label_studio else (self.out,)

    @property
    def for_label_studio(self) -> bool:
        """Whether the file holds tasks for Label Studio, as its suffix `.json` says."""
        return self.out.lower().endswith(".json")

    @property
    def table(self) -> pd.DataFrame:
        """A row per image, with its rank from 1."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Return the suggestions as they stand in the file; attributes are separated by blanks."""
        return [
            {
                "rank": rank,
                **asdict(one),
                "attributes": " ".join(one.attributes),
                "present": " ".join(one.present),
            }
            for rank, one in enumerate(self.suggestions, start=1)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {**asdict(self), "suggestions": self.rows(), "warnings": list(self.warnings)}

    def summary(self) -> list[RenderableType]:
        """Return how they were chosen, and the first of them."""
        from rich.table import Table
        from rich.text import Text

        images = plural(len(self.suggestions), "image")
        told = f"{images} to label next, of {count(self.pool)}, by {self.strategy}"
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("image", "missing", "bits", "least sure of"):
            table.add_column(
                heading, justify="right" if heading in ("missing", "bits") else "left", overflow="fold"
            )
        for one in self.suggestions[:SHOWN]:
            bits = number(one.uncertainty, 3)
            table.add_row(Text(one.image), count(one.missing), bits, Text(", ".join(one.attributes)))
        rest = len(self.suggestions) - SHOWN
        more = [Text(f"and {plural(rest, 'more image')}")] if rest > 0 else []
        where = [Text(f"Written to {' and '.join(self.files)}.")] if self.out else []
        return [Text(told, style="bold"), Text(), table, *more, *where]
