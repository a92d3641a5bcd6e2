"""What counts once: a group of images that are not independent (copies, one patient, camera or session).

Per attribute there are two kinds of groups. Where all known images of a group have the same label, the group
is one observation: that label, and the mean of its scores. Where labels differ within groups, the images
carry information of their own, but it is not independent. `VARYING_SHARE` separates a few contradicting
labels of copies, which are left out, from attributes that really vary within groups (see
`clustered_rank_sum`). The choice looks at labels only, so it cannot favor high scores: either test holds
given the labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..data.labels import MISSING

VARYING_SHARE = 0.1
"""Groups with both labels are left out where they hold at most this share of each class's groups."""


@dataclass(frozen=True)
class Units:
    """Each group once, `G` of them, for `L` attributes.

    `targets` and `scores` are `(G, L)`: a group has the label that its known images agree on, `MISSING` where
    they contradict each other, and the mean of their scores. `folds` is `(G,)`, or None.
    """

    targets: np.ndarray
    scores: np.ndarray
    folds: np.ndarray | None
    mixed: np.ndarray
    """`(L,) int64`: groups that hold both labels."""

    @cached_property
    def varying(self) -> np.ndarray:
        """`(L,) bool`: attributes whose labels vary within groups too often to leave those groups out."""
        rarer = np.minimum(*self._agreeing) + self.mixed
        return np.asarray(self.mixed > VARYING_SHARE * rarer)

    @cached_property
    def positives(self) -> np.ndarray:
        """`(L,) int64`: groups with a positive that the test uses."""
        return self._agreeing[0] + np.where(self.varying, self.mixed, 0)

    @cached_property
    def negatives(self) -> np.ndarray:
        """`(L,) int64`: groups with a negative that the test uses."""
        return self._agreeing[1] + np.where(self.varying, self.mixed, 0)

    @cached_property
    def _agreeing(self) -> tuple[np.ndarray, np.ndarray]:
        return np.count_nonzero(self.targets == 1, axis=0), np.count_nonzero(self.targets == 0, axis=0)


def collapse(targets: np.ndarray, scores: np.ndarray, groups: np.ndarray, folds: np.ndarray | None) -> Units:
    """Make one unit of each group.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: `(N, L)`.
        groups: `(N,)` numbers; equal ones are one group.
        folds: `(N,)` numbers, or None for a single test set.

    Raises:
        ValueError: a group has images in two folds, so that its model has seen it.
    """
    numbers, first, group = np.unique(groups, return_index=True, return_inverse=True)
    if folds is not None and np.any(folds != folds[first][group]):
        raise ValueError("the folds tear groups apart")
    unit_folds = None if folds is None else folds[first]
    if numbers.size == groups.size:
        mixed = np.zeros(targets.shape[1], dtype=np.int64)
        return Units(targets[first], np.asarray(scores[first], np.float64), unit_folds, mixed)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    labels, values = targets[order], np.asarray(scores, np.float64)[order]
    known = labels != MISSING
    count = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    present = np.add.reduceat(labels == 1, starts, axis=0, dtype=np.int64)
    total = np.add.reduceat(np.where(known, values, 0), starts, axis=0)
    low = np.minimum.reduceat(np.where(known, values, np.inf), starts, axis=0)
    high = np.maximum.reduceat(np.where(known, values, -np.inf), starts, axis=0)
    agreed = (count > 0) & ((present == 0) | (present == count))
    # Rounding must not tell a group of equal scores from another image with that very score.
    means = np.where(low == high, low, total / np.maximum(count, 1))
    mixed = np.count_nonzero((count > 0) & ~agreed, axis=0)
    return Units(np.where(agreed, present > 0, MISSING).astype(np.float32), means, unit_folds, mixed)


def group_weights(targets: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Weights that let each group count once: `(N, L) float64`.

    The known images of a group share a weight of 1 in each attribute; a missing label weighs 0. Without
    groups each image weighs 1.

    >>> group_weights(np.array([[1.0], [1.0], [0.0]]), np.array([7, 7, 2])).ravel().tolist()
    [0.5, 0.5, 1.0]
    """
    known = np.asarray(targets != MISSING, dtype=np.float64)
    if groups is None:
        return known
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    if first.size == groups.size:
        return known
    count = np.zeros((first.size, targets.shape[1]))
    np.add.at(count, group, known)
    return np.asarray(known / np.maximum(count, 1)[group])
