"""Holm's correction: many attributes are tested, and the verdicts hold for all of them together."""

from __future__ import annotations

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p-values by Holm's (1979) step-down procedure, which holds under any dependence.

    The i-th smallest of m (i from 0) becomes max over k <= i of min(1, (m - k) p_(k)).

    Args:
        p_values: `(L,)`; nan for attributes that are not tested, which do not count.

    Returns:
        `(L,) float64`: rejecting what is below alpha keeps the family-wise error rate at alpha.

    >>> holm(np.array([0.01, 0.04])).tolist()
    [0.02, 0.04]
    """
    corrected = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return corrected
