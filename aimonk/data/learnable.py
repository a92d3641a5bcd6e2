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
    names: Sequence[str], targets: np.ndarray, groups: np.ndarray, every: np.ndarray | None = None
) -> tuple[Unlearnable, ...]:
    """Return the attributes of which nothing can be learned or tested, in their order.

    An attribute needs images on which it is present and images on which it is absent. Each of the two must
    occur in at least two groups: the images of a group are never divided, so that an attribute present in
    one group only is either not learned or not tested.

    Args:
        names: The L attributes.
        targets: `(N, L) float32` of 1, 0 and MISSING.
        groups: `(N,)` group numbers.
        every: `(M, L) float32` like `targets`, of all rows of labels, those of unusable images included.

    >>> targets = np.array([[1, 1], [1, 0], [1, 1], [1, 0]], np.float32)
    >>> [found.reason for found in find_unlearnable(("dress", "red"), targets, np.arange(4))]
    ['No image is labeled absent.']
    """
    found = []
    for column, name in enumerate(names):
        labels = targets[:, column]
        if reason := _reason(labels, groups, labels if every is None else every[:, column]):
            present, absent = int((labels == 1).sum()), int((labels == 0).sum())
            found.append(Unlearnable(name, reason, present, absent, len(labels) - present - absent))
    return tuple(found)


def _reason(labels: np.ndarray, groups: np.ndarray, every: np.ndarray) -> str:
    present, absent = labels == 1, labels == 0
    if not present.any() and not absent.any():
        return (
            "Every label of a usable image is unknown." if (every >= 0).any() else "Every label is unknown."
        )
    for value, kind in ((1, "present"), (0, "absent")):
        some = labels == value
        lost = (every == value).sum() > some.sum()
        if not some.any():
            return f"No {'usable ' if lost else ''}image is labeled {kind}."
    for value, kind in ((1, "present"), (0, "absent")):
        some = labels == value
        usable = "usable " if (every == value).sum() > some.sum() else ""
        if some.sum() == 1:
            return (
                f"Only one {usable}image is labeled {kind}, and it cannot be both learned from and tested on."
            )
        if len(np.unique(groups[some])) < FEWEST_GROUPS:
            return (
                f"All {some.sum()} {usable}images labeled {kind} are in one group, which cannot be both "
                "learned from and tested on."
            )
    return ""
