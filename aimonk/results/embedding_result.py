"""The result of `aimonk embed`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..data.list_images import skipped_sentence
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
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Files that are not images, counted by kind."""

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return asdict(self)

    def summary(self) -> list[RenderableType]:
        """Return what was made, and what was skipped."""
        from rich.text import Text

        made = f"{self.images} images have features; {self.forward_passes} forward passes were made."
        return [Text(line) for line in (made, skipped_sentence(self.skipped)) if line]
