"""The result of `aimonk sweep`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import Config
from ..evaluation.comparison import Comparison
from ..reporting.formatting import bounds, listing, number, percent, plural, signed
from ..sweeping.space import Settings, Value
from ..sweeping.trials import Trial
from .presentation import Result, without_nan
from .training_result import TrainingResult

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class SweepResult(Result):
    """What the search found, and as `training` the result of the winner's training."""

    name: str
    """Of the study: asked for again under this name, it resumes."""
    trials: int
    pruned: int
    resumed: int
    """Trials that an earlier sweep of this name had finished."""
    best: int
    """Number of the trial that is shipped."""
    score: float
    """Its mean validation score, by which it was chosen; the evidence is on other images."""
    settings: Settings
    before: Settings
    """The same settings as they stood."""
    winners: tuple[int, ...]
    """Per fold, the number of the trial whose test images are reported."""
    gain: Comparison | None
    """Held-out scores of the sweep against those of the settings as they stood; None if these lie outside
    the space."""
    importances: Mapping[str, float]
    training: TrainingResult | None = None

    @classmethod
    def of(
        cls,
        name: str,
        trials: Sequence[Trial],
        resumed: int,
        best: Trial,
        winners: Sequence[Trial],
        gain: Comparison | None,
        importances: Mapping[str, float],
        config: Config,
    ) -> SweepResult:
        """Collect what was found before it is published."""
        flat = config.flat()
        return cls(
            name=name,
            trials=len(trials),
            pruned=sum(trial.pruned for trial in trials),
            resumed=resumed,
            best=best.number,
            score=best.score,
            settings=best.settings,
            before={setting: flat[setting] for setting in best.settings},
            winners=tuple(trial.number for trial in winners),
            gain=gain,
            importances=importances,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the training's own object with one more entry, `sweep`."""
        gain = dataclasses.asdict(self.gain.difference) if self.gain else None
        own = {
            "name": self.name,
            "trials": self.trials,
            "pruned": self.pruned,
            "resumed": self.resumed,
            "best": {"trial": self.best, "validation_mAP": self.score, "settings": dict(self.settings)},
            "fold_winners": list(self.winners),
            "gain": gain,
            "importances": dict(self.importances),
        }
        return {**(self.training.to_json() if self.training else {}), "sweep": without_nan(own)}

    def sentences(self) -> list[str]:
        """Say how the winner was found, and what the search gained."""
        counted = plural(self.trials, "trial")
        counted += f", {self.pruned} stopped early" if self.pruned else ""
        counted += f", {self.resumed} from an earlier call" if self.resumed else ""
        chosen = f"with a mean AP of {number(self.score, 3)} on the validation images that chose it"
        found = [
            f"Of {counted}: trial {self.best} is best, {chosen}, and was trained on every image.",
            "The scores above are of other images: each fold reports the trial that was best on its own "
            f"validation images ({listing([f'trial {winner}' for winner in self.winners], 12)}). "
            "Chosen on fewer images than what ships, they do not flatter it.",
        ]
        if self.gain:
            gain = self.gain.difference
            found.append(
                f"Against the settings as they stood they differ by {signed(gain.value)} mean AP "
                f"{bounds(gain, 3)}"
                + (
                    ": the search paid off."
                    if gain.low > 0
                    else ": there is no evidence that the search paid off."
                )
            )
        return found

    def summary(self) -> list[RenderableType]:
        """Return the verdict of the training, then the settings that won."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("setting", "as it stood", "best", "importance"):
            table.add_column(heading, justify="left" if heading == "setting" else "right")
        for name, value in self.settings.items():
            share = percent(self.importances[name]) if name in self.importances else ""
            table.add_row(name, _short(self.before[name]), _short(value), share)
        told = [Text(sentence) for sentence in self.sentences()]
        own: list[RenderableType] = [Text(), table, Text(), *told]
        return [*(self.training.summary() if self.training else []), *own]


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
