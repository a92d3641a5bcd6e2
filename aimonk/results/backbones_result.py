"""The result of `aimonk backbones`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..backbones.catalog import BackboneInfo
from .presentation import Result

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


@dataclass(frozen=True)
class BackbonesResult(Result):
    """The backbones that can be named."""

    backbones: tuple[BackboneInfo, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row per backbone."""
        import pandas as pd

        return pd.DataFrame([asdict(info) for info in self.backbones])

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {"backbones": [asdict(info) for info in self.backbones]}

    def summary(self) -> list[RenderableType]:
        """Return a table."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("backbone", overflow="fold")
        for heading in ("pixels", "parameters", "features", "weights here", "images/s"):
            table.add_column(heading, justify="right")
        for info in self.backbones:
            table.add_row(
                Text(info.name),
                f"{info.height} x {info.width}",
                f"{info.parameters / 1e6:.1f} M",
                str(info.dimension),
                "yes" if info.weights_at_hand else "",
                f"{info.images_per_second:.0f}" if info.images_per_second else "",
            )
        return [table]
