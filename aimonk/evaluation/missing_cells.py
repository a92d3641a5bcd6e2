"""The missing labels of a table, and scores for them by models that did not learn from the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from ..data.labels import MISSING
from .held_out import HeldOutScores
from .vouching import Promise, Vouched, vouch

OUT_OF_FOLD, MODEL = "out-of-fold", "model"
"""Where a score comes from."""


@dataclass(frozen=True)
class ImageScores:
    """Probabilities of the M images of a table for the L attributes of a model.

    `probabilities` is `(M, L)`, nan where there is none that may be used; `sources` has M entries, empty
    there.
    """

    probabilities: np.ndarray
    sources: tuple[str, ...]


def vouch_for_table(
    held_out: HeldOutScores,
    digests: Sequence[str],
    targets: np.ndarray,
    groups: np.ndarray,
    learned: Sequence[str],
    promise: Promise,
    seed: int,
) -> tuple[Vouched, ...]:
    """Choose thresholds by the table's present labels of the images that a training held out.

    Args:
        held_out: scores of the training.
        digests: hex SHA-256 of the M images of the table.
        targets: `(M, L)` labels of people, columns as in `held_out`.
        groups: `(M,)`.
        learned: attributes with evidence.
        promise: what filled cells must keep.
        seed: of the draw of one cell per group.

    """
    ours, theirs = held_out.rows_of(digests)
    return vouch(
        targets[ours],
        held_out.probabilities[theirs],
        held_out.attributes,
        groups[ours],
        learned,
        promise,
        seed,
    )


def fill_missing(
    missing: np.ndarray, probabilities: np.ndarray, vouched: Sequence[Vouched], promise: Promise
) -> tuple[np.ndarray, tuple[Vouched, ...]]:
    """Fill what the thresholds and the table as a whole allow.

    The thresholds promise a precision in the long run. Of ten filled cells, one error is already a tenth, so
    a value is filled only if those of this table keep the precision too, all attributes together. Let n known
    cells lie beyond the thresholds for the value, e of them wrong, and let M missing ones be filled. Known
    and missing cells are exchangeable, so of E errors among all n + M the known ones have a hypergeometric
    share. The promise is broken with e' > (1 - P) M errors among the missing, so at least d = floor((1 - P)
    M) + 1, and

        P(Hypergeometric(n + M, e + d, n) <= e)

    is a p-value for it (a prediction bound for a finite population; Clopper and Pearson's test as M grows).
    That the thresholds were chosen by the same n cells is not in it.

    Args:
        missing: `(M, L) bool`, the cells to fill.
        probabilities: `(M, L)`; nan where a cell has none that may be used.
        vouched: L attributes.
        promise: what filled cells must keep.

    Returns:
        `(M, L) float32` of 1, 0 and `MISSING`, and the attributes with the thresholds that are left.

    """
    kept = tuple(vouched)
    filled = _fill(missing, probabilities, kept)
    for value in (0, 1):
        cells = sum(found.tested[value].cells for found in kept)
        errors = sum(found.tested[value].errors for found in kept)
        if not keeps_precision(cells, errors, int(np.sum(filled == value)), promise):
            kept = tuple(found.without(value, FEW) if found.fills else found for found in kept)
    return _fill(missing, probabilities, kept), kept


FEW = "so few are filled that one error more would break the promise"


def keeps_precision(known: int, errors: int, filled: int, promise: Promise) -> bool:
    """Whether `filled` cells keep the precision, after `errors` in `known` ones; see `fill_missing`.

    Half of the error rate goes to either value.

    >>> keeps_precision(400, 3, 10, Promise(0.95)), keeps_precision(400, 3, 100, Promise(0.95))
    (False, True)
    """
    least = math.floor((1 - promise.precision) * filled + 1e-9) + 1
    if least > filled:
        return True
    chance = hypergeom.cdf(errors, known + filled, errors + least, known)
    return bool(chance <= (1 - promise.confidence) / 2)


def _fill(missing: np.ndarray, probabilities: np.ndarray, vouched: Sequence[Vouched]) -> np.ndarray:
    filled = np.full(missing.shape, MISSING, np.float32)
    for column, attribute in enumerate(vouched):
        rows = missing[:, column] & np.isfinite(probabilities[:, column])
        filled[rows, column] = attribute.fill(probabilities[rows, column])
    return filled
