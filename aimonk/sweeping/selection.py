"""Who wins, on scores of validation images alone.

The winner is chosen twice. For shipping, one trial is chosen by its mean validation score over all folds. For
the evidence, each fold has a winner of its own, chosen in the same way but without the fold's test images
wherever other folds validate on them; its scores of these test images are reported. So no image that is
reported is among those that chose what is reported of it, and the choice is nearly as well founded as that of
the shipped trial. The idea is that of Tsamardinos, Greasidou, Borboudakis, "Bootstrapping the out-of-sample
predictions for efficient and accurate cross-validation", Machine Learning 107, 2018, with folds instead of
resamples. Choosing by the fold's own validation images alone, which are few, would report a poorer procedure
than the one that ships: on clothing attributes a mean AP of 0.540 instead of 0.551.

What remains: models of other folds are trained on the fold's test images, and the sampler saw their scores
too. experiments/benchmarks/sweep_null.py measures what that is worth where there is nothing to learn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data.split import Split
from ..evaluation.metrics import rank, ratio


def overall_winner(scores: Sequence[Sequence[float]], folds: int) -> int:
    """The trial with the best mean validation score among those that have one in every fold.

    Of equal ones, the first.

    Raises:
        ValueError: no trial was tried in all folds.
    """
    means = [float(np.mean(known)) if len(known) == folds else np.nan for known in scores]
    return int(np.nanargmax(means))


def fold_winners(table: np.ndarray) -> np.ndarray:
    """`(F,) int64`: the row with the best score in each column of `(T, F)`; of equal ones, the first.

    Raises:
        ValueError: a column is nan throughout.
    """
    return np.asarray(np.nanargmax(table, axis=0), dtype=np.int64)


def scores_outside(
    validations: Sequence[np.ndarray], targets: np.ndarray, numbers: np.ndarray, splits: Sequence[Split]
) -> np.ndarray:
    """Validation scores of one trial without the test images of one fold at a time.

    Args:
        validations: per fold, `(v, L)` logits of its validation images.
        targets: `(N, L)` of all images.
        numbers: `(N,)`: the fold of which each image is a test image.
        splits: of the F folds.

    Returns:
        `(F,)`: in place f the mean over the folds' models of the mean AP on validation images outside fold
        f; an attribute or model without both classes there does not count. nan where the trial was stopped
        early.
    """
    folds = len(splits)
    if len(validations) < folds:
        return np.full(folds, np.nan)
    by_model = []
    for split, logits in zip(splits, validations, strict=True):
        known = targets[split.validation]
        weights = (numbers[split.validation] != np.arange(folds)[:, None]).astype(np.float64)
        columns = range(targets.shape[1])
        by_attribute = [rank(known[:, j], logits[:, j]).average_precision(weights) for j in columns]
        by_model.append(_mean(np.array(by_attribute)))
    return _mean(np.array(by_model))


def _mean(values: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is defined."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0))
