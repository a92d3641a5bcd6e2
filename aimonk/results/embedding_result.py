"""The result of `aimonk embed`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .presentation import Result

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class EmbeddingResult(Result):
    """What it took to have the features of every image in the store."""

    images: int
    """Different images that have features now."""
    forward_passes: int
    """Made for this; 0 when all features were stored."""
    unreadable: tuple[str, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return asdict(self)

    def summary(self) -> list[RenderableType]:
        """Return one sentence."""
        from rich.text import Text

        return [Text(f"{self.images} images have features; {self.forward_passes} forward passes were made.")]
