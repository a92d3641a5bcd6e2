"""The result of `aimonk backbones --compare`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..evaluation.evidence import Evidence
from ..evaluation.intervals import Interval
from ..reporting.formatting import bounds, duration, number, signed
from .presentation import Result, without_nan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class MeasuredBackbone:
    """One backbone on the user's data."""

    name: str
    """As the user wrote it: what to give to `--backbone`, or `NAME=WEIGHTS`."""
    evidence: Evidence
    seconds_per_thousand: float
    """To read 1,000 images and compute their features, on this machine."""
    difference: Interval | None
    """Of mean AP to the best backbone, paired over images; None for the best itself."""

    @property
    def is_told_apart(self) -> bool:
        """Whether it is worse than the best one beyond doubt."""
        return self.difference is not None and self.difference.high < 0


@dataclass(frozen=True)
class BackboneComparison(Result):
    """Backbones on the same images and folds, in the order in which they were named."""

    backbones: tuple[MeasuredBackbone, ...]
    images: int
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> MeasuredBackbone:
        """The one with the highest mean AP."""
        return next(one for one in self.backbones if one.difference is None)

    @property
    def choice(self) -> MeasuredBackbone | None:
        """The fastest of those not told apart from the best; None where none has learned anything."""
        if not any(one.evidence.learned for one in self.backbones):
            return None
        equals = [one for one in self.backbones if not one.is_told_apart]
        return min(equals, key=lambda one: one.seconds_per_thousand)

    @property
    def advice(self) -> str:
        """Which one is worth its time, and why, in words."""
        choice, best = self.choice, self.best
        fastest = min(self.backbones, key=lambda one: one.seconds_per_thousand)
        if choice is None:
            return "None of them learned anything from these labels; look at the labels, not at the backbone."
        if choice is not best:
            return (
                f"Take {choice.name}: it is not told apart from {best.name}, which scores best "
                f"(difference {_gap(choice.difference)}), and takes {_times(choice, best)}."
            )
        if choice is fastest:
            return f"Take {choice.name}: it scores best and is the fastest."
        return (
            f"{choice.name} is worth its time: it takes {_times(choice, fastest)}, and {fastest.name}, the "
            f"fastest, scores less (difference {_gap(fastest.difference)})."
        )

    @property
    def table(self) -> pd.DataFrame:
        """A row per backbone."""
        import pandas as pd

        return pd.DataFrame(self.to_json()["backbones"])

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        rows = [
            {
                "name": one.name,
                "mAP": one.evidence.mean_ap.value,
                "mAP_low": one.evidence.mean_ap.low,
                "mAP_high": one.evidence.mean_ap.high,
                "difference": asdict(one.difference) if one.difference else None,
                "seconds_per_thousand": one.seconds_per_thousand,
                "learned": list(one.evidence.learned),
                "verdict": one.evidence.headline,
            }
            for one in self.backbones
        ]
        answer = {
            "images": self.images,
            "backbones": rows,
            "best": self.best.name,
            "choice": self.choice.name if self.choice else None,
            "advice": self.advice,
            "warnings": list(self.warnings),
        }
        return dict(without_nan(answer))

    def summary(self) -> list[RenderableType]:
        """Return a table and the advice."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("backbone", overflow="fold")
        for heading in ("mean AP", "less the best, 95%", "learned", "1,000 images"):
            table.add_column(heading, justify="right", no_wrap=True)
        for one in self.backbones:
            table.add_row(
                Text(one.name),
                number(one.evidence.mean_ap.value, 3),
                "" if one.difference is None else _gap(one.difference),
                f"{len(one.evidence.learned)} of {len(one.evidence.attributes)}",
                duration(one.seconds_per_thousand),
            )
        return [table, Text(), Text(self.advice)]


def _gap(difference: Interval | None) -> str:
    assert difference is not None, "only the best one has no difference"
    return f"{signed(difference.value)} {bounds(difference, 3)}".rstrip()


def _times(one: MeasuredBackbone, other: MeasuredBackbone) -> str:
    """Both times, for 1,000 images."""
    ours, theirs = duration(one.seconds_per_thousand), duration(other.seconds_per_thousand)
    return f"{ours} for 1,000 images instead of {theirs}"
