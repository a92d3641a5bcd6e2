"""Who wins, on scores of validation images alone.

A table `(T, F)` holds the validation score of every trial (row) in every fold (column), nan where a trial was
stopped before that fold. The winner is chosen twice. For the evidence, each fold has a winner of its own,
chosen by that fold's column, and its scores of that fold's test images are reported: neither the choice nor
the models that it stands on have seen them. That is nested cross-validation (Cawley, Talbot, "On over-fitting
in model selection and subsequent selection bias in performance evaluation", JMLR 11, 2010). For shipping,
one trial is chosen by its mean over the folds.

So the evidence is that of a sweep that chooses on the few validation images of one fold, a poorer choice than
the one that ships: on clothing attributes a mean AP of 0.540, where choosing by the validation images of the
other folds too gave 0.551. But the models of those folds are trained on the fold's test images: where labels
were random, that came out 0.005 +- 0.002 above the AUC of settings that nothing had chosen.

What remains is the sampler, which saw the scores of all folds when it proposed what to try;
experiments/benchmarks/sweep_null.py measures what that gives away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def score_table(scores: Sequence[Sequence[float]], folds: int) -> np.ndarray:
    """`(T, F) float64` from each trial's scores of the folds it was tried in, which are the first ones."""
    table = np.full((len(scores), folds), np.nan)
    for row, known in zip(table, scores, strict=True):
        row[: len(known)] = known
    return table


def fold_winners(table: np.ndarray) -> np.ndarray:
    """`(F,) int64`: the row that is best in each column; of equal ones, the first.

    Raises:
        ValueError: no trial was tried in some fold.
    """
    return np.asarray(np.nanargmax(table, axis=0), dtype=np.int64)


def overall_winner(table: np.ndarray) -> int:
    """The row with the best mean among those without a gap; of equal ones, the first.

    Raises:
        ValueError: every row has a gap.
    """
    return int(np.nanargmax(table.mean(axis=1)))
