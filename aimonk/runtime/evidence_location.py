"""Whether the evidence for an attribute lies where the subject is, or around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BORDER = 1 / 8
"""The border is so much of the height and of the width on each side: 44% of the image."""

MIDDLE = 1 / 2
"""The middle is so much of the height and of the width: 25% of the image."""


@dataclass(frozen=True)
class Location:
    """Shares of the evidence for an attribute: of the sum of all positive contributions of places."""

    border: float
    outside_middle: float

    @property
    def sentence(self) -> str:
        """What a user should look at; empty where the evidence lies no further out than by chance.

        >>> Location(border=0.7, outside_middle=0.9).sentence
        '70% of the evidence lies in the border of the image'
        """
        if self.border > 0.5:
            return f"{self.border:.0%} of the evidence lies in the border of the image"
        if self.outside_middle > 1 - MIDDLE**2:
            return f"{self.outside_middle:.0%} of the evidence lies outside the middle of the image"
        return ""


def locate(places: np.ndarray) -> Location:
    """Return where the evidence of `(rows, columns)` contributions lies; 0 where there is none.

    Cells that straddle an edge are shared by area.
    """
    evidence = np.maximum(places, 0)
    total = float(evidence.sum())
    if total == 0:
        return Location(0.0, 0.0)
    inner = [_inside(evidence, share) for share in (1 - 2 * BORDER, MIDDLE)]
    return Location(*(1 - part / total for part in inner))


def _inside(evidence: np.ndarray, share: float) -> float:
    rows, columns = (_covered(cells, share) for cells in evidence.shape)
    return float(rows @ evidence @ columns)


def _covered(cells: int, share: float) -> np.ndarray:
    """`(cells,)`: how much of each cell lies in the middle `share` of a side."""
    edges = np.clip(np.arange(cells + 1) / cells, (1 - share) / 2, (1 + share) / 2)
    return np.diff(edges) * cells
