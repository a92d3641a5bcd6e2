"""Which attributes can be learned at all, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_GROUPS = 2
"""Groups that must hold positives, and negatives: one to learn from and one to be tested on."""


@dataclass(frozen=True)
class Unlearnable:
    """An attribute that is left out of training, with the reason as a sentence and its counts of labels."""

    name: str
    reason: str
    positives: int
    negatives: int
    unknown: int


def find_unlearnable(
    names: Sequence[str], targets: np.ndarray, groups: np.ndarray
) -> tuple[Unlearnable, ...]:
    """Return the attributes of which nothing can be learned or tested, in their order.

    An attribute needs images on which it is present and images on which it is absent. Each of the two must
    occur in at least two groups: the images of a group are never divided, so that an attribute present in
    one group only is either not learned or not tested.

    Args:
        names: The L attributes.
        targets: `(N, L) float32` of 1, 0 and MISSING.
        groups: `(N,)` group numbers.

    >>> targets = np.array([[1, 1], [1, 0], [1, 1], [1, 0]], np.float32)
    >>> [found.reason for found in find_unlearnable(("dress", "red"), targets, np.arange(4))]
    ['No image is labeled absent.']
    """
    found = []
    for column, name in enumerate(names):
        labels = targets[:, column]
        if reason := _reason(labels, groups):
            present, absent = int((labels == 1).sum()), int((labels == 0).sum())
            found.append(Unlearnable(name, reason, present, absent, len(labels) - present - absent))
    return tuple(found)


def _reason(labels: np.ndarray, groups: np.ndarray) -> str:
    present, absent = labels == 1, labels == 0
    if not present.any() and not absent.any():
        return "Every label is unknown."
    if not present.any():
        return "No image is labeled present."
    if not absent.any():
        return "No image is labeled absent."
    for some, kind in ((present, "present"), (absent, "absent")):
        if len(np.unique(groups[some])) < FEWEST_GROUPS:
            count = int(some.sum())
            images = (
                f"The only image labeled {kind} is"
                if count == 1
                else f"All {count} images labeled {kind} are"
            )
            where = "one image" if count == 1 else "in one group"
            if count == 1:
                return f"Only {where} is labeled {kind}, and it cannot be both learned from and tested on."
            return f"{images} {where}, which cannot be both learned from and tested on."
    return ""
