"""The result of `aimonk audit`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..data.dataset import Dataset, unlearnable_attributes
from ..data.learnable import Unlearnable
from ..data.suggest_groups import SuggestedGroups, suggested_groups
from .presentation import Result

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class AuditResult(Result):
    """What a folder of images and its labels hold, and what is wrong with them."""

    dataset: Dataset
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    """Why a training would refuse these files, as a sentence; empty if it would not."""

    @cached_property
    def unlearnable(self) -> tuple[Unlearnable, ...]:
        """Attributes that a training would leave out, with the reason."""
        return unlearnable_attributes(self.dataset)

    @cached_property
    def suggested(self) -> SuggestedGroups | None:
        """Groups that columns or file names suggest, if none are given."""
        return suggested_groups(self.dataset.table) if self.dataset.table else None

    @property
    def table(self) -> pd.DataFrame:
        """A row per attribute: name, positives, negatives, unknown."""
        import pandas as pd

        return pd.DataFrame(self.to_json()["attributes"])

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        data, suggested = self.dataset, self.suggested
        found = data.audit.to_json()
        attributes = [{**counts, "unknown": counts["missing"]} for counts in found["attributes"]]
        return {
            **found,
            "images": len(data),
            "attributes": attributes,
            "groups": data.groups.tolist(),
            "read_as": data.read_as.to_json(),
            "unlearnable": [dataclasses.asdict(one) for one in self.unlearnable],
            "suggested_groups": dataclasses.asdict(suggested) if suggested else None,
            "refusal": self.refusal or None,
            "warnings": list(self.warnings),
        }

    def summary(self) -> list[RenderableType]:
        """Return how the labels were read, counts per attribute, then what is wrong with the files."""
        from rich.text import Text

        from ..reporting.terminal import audit_table

        lines = [f"{one.name!r} cannot be learned: {one.reason}" for one in self.unlearnable]
        if self.refusal:
            lines.append(self.refusal)
        if self.suggested:
            lines.append(self.suggested.sentence())
        read = "\n".join(self.dataset.read_as.sentences())
        return [Text(read), audit_table(self.dataset.audit), *map(Text, lines)]
