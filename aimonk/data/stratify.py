"""Iterative stratification of multi-label data with missing labels, whole groups at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stratify(targets: np.ndarray, groups: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """Assign each row to one of `len(shares)` sets; the rows of a group go to the same one.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-label Data",
    ECML PKDD 2011, algorithm 1): of all labels, take the one with the fewest rows not yet assigned. Give each
    of these rows to the set that lacks most of that label or, among equals, the set that lacks most rows.
    Here a label is an attribute known to be present or known to be absent, so that missing labels do not
    unbalance the sets. What is assigned is a whole group, large groups first, while there is room for them.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        groups: `(N,)` any integers.
        shares: of the rows for each set; they sum to 1.
        seed: of the order among equals.

    Returns:
        `(N,) int64` numbers of the sets.
    """
    generator = np.random.default_rng(seed)
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    labels = np.concatenate([targets == 1, targets == 0], axis=1)
    counts = _counts(labels, group_of, len(sizes))
    # A random order once, so that what follows breaks ties at random and is still deterministic.
    order = generator.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    dealer = _Dealer(counts[order], sizes[order].astype(np.float64), np.asarray(shares), generator)
    number_of = np.empty(len(sizes), dtype=np.int64)
    number_of[order] = dealer.deal()
    return number_of[group_of]


def _counts(labels: np.ndarray, group_of: np.ndarray, groups: int) -> np.ndarray:
    """Rows of each label in each group: `(G, K)` of `(N, K)` labels."""
    if groups == len(labels):
        counts = np.empty(labels.shape)
        counts[group_of] = labels
        return counts
    order = np.argsort(group_of, kind="stable")
    starts = np.flatnonzero(np.diff(group_of[order], prepend=-1))
    return np.asarray(np.add.reduceat(labels[order], starts, axis=0, dtype=np.float64))


class _Dealer:
    """Deals groups out to sets, label by label.

    While the groups of one label are dealt, only what the sets lack of that label and of rows decides. Both
    are kept in lists of a few numbers, and the other labels are updated once per label.
    """

    def __init__(
        self, counts: np.ndarray, sizes: np.ndarray, shares: np.ndarray, generator: np.random.Generator
    ) -> None:
        self.counts, self.sizes, self.generator = counts, sizes, generator
        self.lacking = np.outer(shares, counts.sum(axis=0))
        self.lacking_rows: list[float] = (shares * sizes.sum()).tolist()
        # With a share of 0, lacking nothing must not win over a set that already has too much.
        self.open = [part for part, share in enumerate(shares.tolist()) if share > 0]
        self.assigned = np.full(len(sizes), -1)

    def deal(self) -> np.ndarray:
        """Return the set of each group, `(G,) int64`."""
        remaining = self.counts.sum(axis=0)
        while (remaining > 0).any():
            rarest = int(np.where(remaining > 0, remaining, np.inf).argmin())
            groups = np.flatnonzero((self.counts[:, rarest] > 0) & (self.assigned < 0))
            self._give(groups, self.counts[groups, rarest], self.lacking[:, rarest])
            parts = self.assigned[groups]
            for part in self.open:
                self.lacking[part] -= self.counts[groups[parts == part]].sum(axis=0)
            remaining -= self.counts[groups].sum(axis=0)
        rest = np.flatnonzero(self.assigned < 0)
        self._give(rest, np.zeros(rest.size), np.zeros(len(self.lacking)))
        return self.assigned

    def _give(self, groups: np.ndarray, rows_of_label: np.ndarray, lacking: np.ndarray) -> None:
        """Give each group to the set that lacks most of a label; `lacking` is by set and not changed."""
        wanted, rows = lacking.tolist(), self.lacking_rows
        chosen = []
        for having, size in zip(rows_of_label.tolist(), self.sizes[groups].tolist(), strict=True):
            most = max(wanted[part] for part in self.open)
            best = [part for part in self.open if wanted[part] == most]
            if len(best) > 1:
                most = max(rows[part] for part in best)
                best = [part for part in best if rows[part] == most]
            part = best[0] if len(best) == 1 else best[int(self.generator.integers(len(best)))]
            wanted[part] -= having
            rows[part] -= size
            chosen.append(part)
        self.assigned[groups] = chosen
