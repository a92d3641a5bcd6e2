"""The result of `aimonk recipes`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .presentation import Result

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class RecipeInfo:
    """One recipe: what it is, what it scored, and how long it took."""

    name: str
    what: str
    scores: str
    takes: str


@dataclass(frozen=True)
class RecipesResult(Result):
    """The built-in recipes."""

    recipes: tuple[RecipeInfo, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {"recipes": [asdict(recipe) for recipe in self.recipes]}

    def summary(self) -> list[RenderableType]:
        """Return a table with a row per recipe."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 1, 0))
        for heading in ("recipe", "what", "scores", "takes"):
            table.add_column(heading, overflow="fold")
        for recipe in self.recipes:
            table.add_row(Text(recipe.name, style="bold"), recipe.what, recipe.scores, recipe.takes)
        return [table]
