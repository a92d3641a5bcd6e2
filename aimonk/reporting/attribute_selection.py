"""Which attributes the pictures show when there are too many for all of them.

Tables hold every attribute. A figure with hundreds of rows cannot be read, and a page with eight of them
takes tens of megabytes. A reader acts on the two ends: what the model does best, and what it does worst.
So each figure shows the first and the last `MOST_PICTURED / 2` attributes in the order it sorts them by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

MOST_PICTURED = 40
"""Largest number of attributes in one figure."""

Item = TypeVar("Item")


def both_ends(ordered: Sequence[Item], most: int = MOST_PICTURED) -> list[Item]:
    """Keep the first and the last items of a sequence, in order; all of them if there are at most `most`.

    >>> both_ends("abcdef", 4)
    ['a', 'b', 'e', 'f']
    """
    if len(ordered) <= most:
        return list(ordered)
    last = most // 2
    return [*ordered[: most - last], *ordered[len(ordered) - last :]]
