"""Labels that are most likely wrong, and holes that could be filled, by out-of-fold probabilities.

The rank key is 1 - p(label), one minus the "self-confidence" of confident learning (Northcutt, Jiang and
Chuang 2021), with calibrated out-of-fold probabilities. Those already hold how rare an attribute is, so
cells of different attributes compare. Measured on data/clothing with 5% of the labels flipped (frozen
MobileNet@0.25, 5 folds, Platt's calibration, 4 repeats), precision at k = number of flips was 0.53; the
same with uncalibrated probabilities 0.30; cleanlab's adjusted self-confidence 0.15, which takes away each
class's mean and with it what rarity says; its normalized margin 0.53, for two classes the same order.
So cleanlab adds nothing here and is not needed. With today's default features and head it is 0.62
(experiments/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING


@dataclass(frozen=True)
class Suspect:
    """One cell of the label table worth a second look."""

    image: str
    attribute: str
    label: int | None
    """0 or 1 as given; None for a cell that is not known."""
    probability: float
    """Out-of-fold probability that the attribute is present."""
    score: float
    """Rank key: higher is more suspect."""


def find_suspects(
    targets: np.ndarray,
    probabilities: np.ndarray,
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    limit: int,
) -> tuple[Suspect, ...]:
    """List the known labels that their own model believes least, most suspect first.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        probabilities: `(N, L)` calibrated probabilities by models that did not see the image; nan where
            there is none.
        images: N names.
        attributes: L names.
        limit: at most so many.
    """
    scores = np.where(targets == 1, 1 - probabilities, probabilities)
    return _ranked(scores, targets != MISSING, targets, probabilities, images, attributes, limit)


def find_fillable(
    targets: np.ndarray,
    probabilities: np.ndarray,
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    limit: int,
    confidence: float = 0.9,
) -> tuple[Suspect, ...]:
    """List the cells without a label that the model is surest of, surest first; arguments as `find_suspects`.

    `score` is the probability of the likelier answer, at least `confidence`.
    """
    scores = np.maximum(probabilities, 1 - probabilities)
    eligible = (targets == MISSING) & (scores >= confidence)
    return _ranked(scores, eligible, targets, probabilities, images, attributes, limit)


def _ranked(
    scores: np.ndarray,
    eligible: np.ndarray,
    targets: np.ndarray,
    probabilities: np.ndarray,
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    limit: int,
) -> tuple[Suspect, ...]:
    rows, columns = np.nonzero(eligible & np.isfinite(scores))
    order = np.argsort(-scores[rows, columns], kind="stable")[: max(limit, 0)]
    return tuple(
        Suspect(
            image=images[i],
            attribute=attributes[j],
            label=None if targets[i, j] == MISSING else int(targets[i, j]),
            probability=float(probabilities[i, j]),
            score=float(scores[i, j]),
        )
        for i, j in zip(rows[order], columns[order], strict=True)
    )
