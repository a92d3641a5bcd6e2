"""One question to a reviewer: does this image show this attribute?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

QUEUES = {
    "contradictions": "Copies of one image with different labels",
    "suspects": "Labels that the model doubts most",
    "fill": "Missing labels that the model is sure of",
    "suggestions": "Missing labels that would teach most",
}
"""Name and meaning of each queue. A cell that belongs to several is asked in the first one."""


@dataclass(frozen=True)
class ReviewCell:
    """A cell of the label table that is asked about, with what is known before the answer."""

    row: int
    """Of the image in the data set."""
    image: str
    attribute: str
    queue: str
    label: int | None
    """1 or 0 as given; None where the label is missing."""
    probability: float | None
    """Out-of-fold probability that the attribute is present; None where the model did not score it."""
    control: bool = False
    """Whether the cell belongs to the random sample of known cells."""
    doubted: bool = True
    """Whether the cell would be asked about if it were no control."""
    known: int = 0
    """Size of the population of the sample: the attribute's known cells that have a probability."""

    @property
    def key(self) -> str:
        """Short name in the page; equal after a restart.

        >>> ReviewCell(0, "a.jpg", "red", "fill", None, 0.9).key
        '55d0ab2b54ea3ef8'
        """
        name = f"{self.image}\0{self.attribute}".encode("utf-8", "surrogateescape")
        return hashlib.sha256(name).hexdigest()[:16]
