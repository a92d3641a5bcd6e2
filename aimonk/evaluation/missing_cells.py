"""The missing labels of a table, and scores for them by models that did not learn from the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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


def held_out_rows(held_out: HeldOutScores, digests: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the table whose image was held out, and its rows in the scores, `(m,)` each."""
    row_of: dict[str, int] = {}
    for row, digest in enumerate(held_out.digests):
        row_of.setdefault(digest, row)
    ours = [row for row, digest in enumerate(digests) if digest in row_of]
    return np.array(ours, np.int64), np.array([row_of[digests[row]] for row in ours], np.int64)


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
    ours, theirs = held_out_rows(held_out, digests)
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
    targets: np.ndarray, scores: ImageScores, vouched: Sequence[Vouched], fillable: np.ndarray
) -> np.ndarray:
    """Return what to fill, `(M, L) float32` of 1, 0 and `MISSING`.

    Args:
        targets: `(M, L)` labels of people; only missing ones are filled.
        scores: of the same images and attributes.
        vouched: L attributes.
        fillable: `(M, L) bool`; a cell may be missing and yet not to be filled, such as a contradiction.

    """
    filled = np.full(targets.shape, MISSING, np.float32)
    for column, attribute in enumerate(vouched):
        open_ = (targets[:, column] == MISSING) & fillable[:, column]
        open_ &= np.isfinite(scores.probabilities[:, column])
        filled[open_, column] = attribute.fill(scores.probabilities[open_, column])
    return filled
