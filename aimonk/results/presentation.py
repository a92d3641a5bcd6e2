"""How a result shows itself: as text in a terminal, as HTML in a notebook, as plain objects in JSON."""

from __future__ import annotations

import io
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


class Result(ABC):
    """What a command found out. Printing it shows what the command line shows."""

    @abstractmethod
    def summary(self) -> list[RenderableType]:
        """Return what the terminal shows, in order."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return a plain object; a number that is not defined is None."""

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=100)
        console.print(*self.summary(), sep="\n")
        return str(console.file.getvalue()) if isinstance(console.file, io.StringIO) else ""

    def _repr_html_(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=100, record=True)
        console.print(*self.summary(), sep="\n")
        frame = '<pre style="font-family: monospace; line-height: 1.3">{code}</pre>'
        return console.export_html(code_format=frame, inline_styles=True)


def without_nan(value: Any) -> Any:
    """Return the same structure with None for nan and infinities, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
