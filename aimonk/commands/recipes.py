"""`aimonk recipes`: the built-in settings, and what each one scores and takes."""

from __future__ import annotations

from ..config_file import RECIPES, read_recipe_text
from ..results.recipes_result import RecipeInfo, RecipesResult


def list_recipes() -> RecipesResult:
    """List the built-in recipes.

    >>> [recipe.name for recipe in aimonk.list_recipes().recipes]  # doctest: +SKIP
    ['default', 'finetune', 'notebook']
    """
    return RecipesResult(tuple(_describe(name) for name in RECIPES))


def _describe(name: str) -> RecipeInfo:
    """Read the comment that opens a recipe: what it is, then `Scores: ...` and `Takes: ...`."""
    lines = read_recipe_text(name).splitlines()
    comment = [line.removeprefix("#").strip() for line in lines[: lines.index("")]]
    facts = dict(line.split(": ", 1) for line in comment if line.startswith(("Scores: ", "Takes: ")))
    words = [line for line in comment if not line.startswith(("Scores: ", "Takes: ", "aimonk "))]
    return RecipeInfo(name, " ".join(words), facts["Scores"], facts["Takes"])
