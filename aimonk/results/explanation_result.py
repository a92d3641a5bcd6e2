"""The result of `aimonk explain`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit

from ..runtime.contributions import Contributions
from ..runtime.evidence_location import locate
from ..runtime.explained_prediction import is_present, rounded
from ..runtime.record import PackageInfo
from .presentation import Result

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class ExplainedImage:
    """One image: its contributions, or why it could not be read, and the pictures drawn of it."""

    image: str
    found: Contributions | None
    error: str | None = None
    pictures: tuple[tuple[str, Path], ...] = ()
    """(attribute, PNG file)."""


@dataclass(frozen=True)
class ExplanationResult(Result):
    """Where the evidence for each attribute lies, image by image."""

    images: tuple[ExplainedImage, ...]
    model: PackageInfo

    @property
    def unreadable(self) -> int:
        """How many files have an error instead of an explanation."""
        return sum(one.error is not None for one in self.images)

    @property
    def table(self) -> pd.DataFrame:
        """A row per image and attribute: its logit, and where the evidence lies."""
        import pandas as pd

        columns = ["image", "attribute", "verdict", "present", "logit", "baseline", "elsewhere"]
        columns += ["border", "outside_middle"]
        rows = [
            {"image": one.image, **{name: entry[name] for name in columns[1:]}}
            for one in self.images
            for entry in self._attributes(one)
        ]
        return pd.DataFrame(rows, columns=columns)

    def to_json(self) -> dict[str, Any]:
        """Return a plain object: `logit = baseline + elsewhere + the sum of contributions`."""
        return {
            "images": [
                {
                    "image": one.image,
                    "error": one.error,
                    "pictures": {name: str(path) for name, path in one.pictures},
                    "attributes": [
                        {**entry, "contributions": rounded(one.found.places[column])}
                        for column, entry in enumerate(self._attributes(one))
                        if one.found is not None
                    ],
                }
                for one in self.images
            ]
        }

    def summary(self) -> list[RenderableType]:
        """Return, per image, the attributes found present and where their evidence lies."""
        from rich.text import Text

        lines: list[RenderableType] = []
        for one in self.images:
            lines.append(Text(one.image, style="bold"))
            if one.error is not None:
                lines.append(Text(f"  Cannot be read: {one.error}", style="red"))
            files = dict(one.pictures)
            shown = [
                entry for entry in self._attributes(one) if entry["present"] or entry["attribute"] in files
            ]
            for entry in shown:
                lines.append(_line(entry, files.get(entry["attribute"])))
        return lines

    def _attributes(self, one: ExplainedImage) -> list[dict[str, Any]]:
        if one.found is None:
            return []
        entries = []
        for column, attribute in enumerate(self.model.attributes):
            where = locate(one.found.places[column])
            present = is_present(one.found, self.model)[column]
            entries.append(
                {
                    "attribute": attribute.name,
                    "verdict": attribute.verdict,
                    "present": bool(present),
                    "logit": float(one.found.logits[column]),
                    "least": float(logit(np.clip(attribute.threshold, 1e-12, 1 - 1e-12))),
                    "baseline": float(one.found.baseline[column]),
                    "elsewhere": float(one.found.elsewhere[column]),
                    "border": where.border,
                    "outside_middle": where.outside_middle,
                    "note": where.sentence if present else "",
                }
            )
        return entries


def _line(entry: dict[str, Any], picture: Path | None) -> RenderableType:
    from rich.text import Text

    said = f"  {entry['attribute']}: {'present' if entry['present'] else 'absent'}"
    if entry["verdict"] not in (None, "learned"):
        said += f" (ignore it: {entry['verdict']})"
    said += f", logit {entry['logit']:.2f}"
    if entry["present"] != (entry["logit"] > 0):  # the threshold is where F1 is best, and not at one half
        said += f", threshold {entry['least']:.2f}"
    said += f"; {entry['note']}" if entry["note"] else ""
    return Text(said + (f" ({picture})" if picture else ""))
