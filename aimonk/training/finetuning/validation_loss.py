"""The score by which the best epoch is chosen."""

from __future__ import annotations

import numpy as np


def mean_average_precision(targets: np.ndarray, scores: np.ndarray) -> float:
    """Mean over attributes of the average precision, `targets`, `scores (N, L)`; NA cells do not count.

    An attribute without a known positive or negative is left out; 0 if that leaves none. Scores that are not
    numbers, of a training that diverged, rank with 0.
    """
    from sklearn.metrics import average_precision_score

    values = []
    for truth, score in zip(targets.T, np.nan_to_num(scores).T, strict=True):
        known = truth >= 0
        if 0 < truth[known].sum() < known.sum():
            values.append(average_precision_score(truth[known], score[known]))
    return float(np.mean(values)) if values else 0.0
