"""What a notebook may give one or several of: image files, or attributes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item", bound=str | Path)


def listed(given: Item | Sequence[Item]) -> list[Item]:
    """Return several as they are, and one as a list of it: text is a sequence too, of its letters.

    >>> listed("photo.jpg"), listed(("a.jpg", "b.jpg"))
    (['photo.jpg'], ['a.jpg', 'b.jpg'])
    """
    return [given] if isinstance(given, str | Path) else list(given)
