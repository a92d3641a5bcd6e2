"""The result of `aimonk audit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..data.dataset import Dataset
from .presentation import Result

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class AuditResult(Result):
    """What a folder of images and its labels hold, and what is wrong with them."""

    dataset: Dataset
    warnings: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """A row per attribute: name, positives, negatives, unknown."""
        import pandas as pd

        return pd.DataFrame(self.to_json()["attributes"])

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {**self.dataset.audit.to_json(), "warnings": list(self.warnings)}

    def summary(self) -> list[RenderableType]:
        """Return counts per attribute, then what is wrong with the files."""
        from ..reporting.terminal import audit_table

        return [audit_table(self.dataset.audit)]
