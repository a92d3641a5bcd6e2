"""Iterative stratification of multi-label data with holes, whole groups at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stratify(targets: np.ndarray, groups: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """Assign each row to one of `len(shares)` sets, `(N,) int64`; the rows of a group to the same one.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-label Data",
    ECML PKDD 2011, algorithm 1): of all labels, take the one with the fewest rows not yet assigned, and give
    each of them to the set that lacks most of that label, then to the one that lacks most rows. Here a label
    is an attribute known present or an attribute known absent, so that the holes do not unbalance the sets,
    and what is given away is a whole group, large groups first while there is room for them.

    `targets` is `(N, L)` of 1, 0 and MISSING, `groups` `(N,)` any integers, `shares` sum to 1.
    """
    generator = np.random.default_rng(seed)
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    labels = np.concatenate([targets == 1, targets == 0], axis=1)
    counts = np.zeros((len(sizes), labels.shape[1]))
    np.add.at(counts, group_of, labels)
    # A random order once, so that what follows breaks ties at random and still is deterministic.
    order = generator.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    assigned = _assign(counts[order], sizes[order].astype(np.float64), np.asarray(shares), generator)
    number_of = np.empty(len(sizes), dtype=np.int64)
    number_of[order] = assigned
    return number_of[group_of]


def _assign(
    counts: np.ndarray, sizes: np.ndarray, shares: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return the set of each group, given its rows of each label `(G, K)` and its rows `(G,)`."""
    lacking = np.outer(shares, counts.sum(axis=0))
    lacking_rows = shares * sizes.sum()
    # With a share of 0, lacking nothing must not win over a set that already has too much.
    closed = np.where(shares > 0, 0.0, -np.inf)
    assigned = np.full(len(sizes), -1)
    remaining = counts.sum(axis=0)
    has = counts > 0

    def give(group: int, wanted: np.ndarray) -> None:
        best = np.flatnonzero(wanted == wanted.max())
        if len(best) > 1:
            rows = lacking_rows[best]
            best = best[rows == rows.max()]
        part = int(best[0] if len(best) == 1 else generator.choice(best))
        assigned[group] = part
        lacking[part] -= counts[group]
        lacking_rows[part] -= sizes[group]
        remaining[:] -= counts[group]

    while (remaining > 0).any():
        rarest = int(np.where(remaining > 0, remaining, np.inf).argmin())
        for group in np.flatnonzero(has[:, rarest] & (assigned < 0)).tolist():
            give(group, lacking[:, rarest] + closed)
    for group in np.flatnonzero(assigned < 0).tolist():
        give(group, lacking_rows + closed)
    return assigned
