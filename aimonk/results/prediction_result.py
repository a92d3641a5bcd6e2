"""The result of `aimonk predict`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..runtime.prediction import Prediction
from ..runtime.record import PackageInfo
from .presentation import Result

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class PredictionResult(Result):
    """An answer for each file, in order, and what is known of the model that gave it."""

    images: tuple[str, ...]
    answers: tuple[Prediction, ...]
    model: PackageInfo

    @property
    def unreadable(self) -> int:
        """How many files have an error instead of an answer."""
        return sum(answer.error is not None for answer in self.answers)

    @property
    def table(self) -> pd.DataFrame:
        """A row per file: its name, the error, and a column of probabilities per attribute."""
        import pandas as pd

        rows = [
            {"image": image, "error": answer.error, **self._scores(answer)}
            for image, answer in zip(self.images, self.answers, strict=True)
        ]
        return pd.DataFrame(rows, columns=["image", "error", *self.model.names])

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {
            "images": [
                {
                    "image": image,
                    "predicted_attributes": list(answer.predicted_attributes),
                    "probabilities": list(answer.probabilities),
                    "scores": self._scores(answer),
                    "error": answer.error,
                }
                for image, answer in zip(self.images, self.answers, strict=True)
            ],
            "attributes": [
                {"name": a.name, "threshold": a.threshold, "verdict": a.verdict}
                for a in self.model.attributes
            ],
        }

    def summary(self) -> list[RenderableType]:
        """Return, per file, its name, the two lines of the original notebook, and a table of attributes."""
        from rich.text import Text

        lines: list[RenderableType] = []
        for image, answer in zip(self.images, self.answers, strict=True):
            lines.append(Text(image, style="bold"))
            if answer.error is not None:
                lines.append(Text(f"Cannot be read: {answer.error}", style="red"))
                continue
            lines.append(Text(f"Predicted Attributes: {list(answer.predicted_attributes)}"))
            lines.append(Text(f"Probabilities: {[round(p, 4) for p in answer.probabilities]}"))
            lines.append(self._attributes(answer))
        return lines

    def _attributes(self, answer: Prediction) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=False)
        for _ in range(4):
            table.add_column(overflow="fold")
        for attribute, probability in zip(self.model.attributes, answer.probabilities, strict=True):
            present = probability >= attribute.threshold
            doubtful = attribute.verdict is not None and attribute.verdict != "learned"
            table.add_row(
                Text(f"  {attribute.name}"),
                Text("present" if present else "absent", style="cyan" if present else "dim"),
                Text(f"{probability:.4f}"),
                Text(f"ignore it: {attribute.verdict}" if doubtful else attribute.verdict or "", style="dim"),
            )
        return table

    def _scores(self, answer: Prediction) -> dict[str, float]:
        return dict(zip(self.model.names, answer.probabilities, strict=False))
