"""Random permutations of the labels, for scores with so many ties that no approximation holds.

With few distinct scores the statistic jumps, and what matters is only how many positives fall on each of
them. Over all arrangements of the labels that count is multivariate hypergeometric, so it is drawn directly.
"""

from __future__ import annotations

import numpy as np

from .rank_sum import RankSum

CHUNK_CELLS = 1 << 20
"""Cells of a (permutations, distinct scores) matrix drawn at once."""


def tied_share(statistic: RankSum) -> float:
    """Share of the pairs of units of one fold with equal scores, from 0 to 1."""
    tied = pairs = 0.0
    for start, size in zip(statistic.starts, statistic.sizes, strict=True):
        counts = np.unique(statistic.ranks[start : start + size], return_counts=True)[1]
        tied += float((counts * (counts - 1.0)).sum())
        pairs += float(size * (size - 1.0))
    return tied / pairs if pairs else 0.0


def permuted_p_value(statistic: RankSum, stretch: float, permutations: int, seed: int) -> float:
    """Estimate P(stretch * X >= observed) over random arrangements of the labels within folds.

    p = (1 + number of permutations at least as extreme) / (1 + permutations), which is valid and never 0
    (Phipson and Smyth 2010).
    """
    generator = np.random.default_rng(seed)
    null = np.zeros(permutations)
    for start, size, positives in zip(statistic.starts, statistic.sizes, statistic.positives, strict=True):
        levels, counts = np.unique(statistic.ranks[start : start + size], return_counts=True)
        part = max(1, CHUNK_CELLS // levels.size)
        for begin in range(0, permutations, part):
            rows = slice(begin, min(begin + part, permutations))
            drawn = generator.multivariate_hypergeometric(
                counts, int(positives), size=rows.stop - begin, method="marginals"
            )
            null[rows] += drawn @ levels.astype(np.float64)
    extreme = int(np.count_nonzero(null * stretch >= statistic.observed - 1e-6))
    return (1 + extreme) / (1 + permutations)
