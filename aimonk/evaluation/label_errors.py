"""Labels that are most likely wrong, and missing labels that could be filled, by out-of-fold probabilities.

The rank key is 1 - p(label), one minus the "self-confidence" of confident learning (Northcutt, Jiang and
Chuang 2021), with calibrated out-of-fold probabilities. These already contain how rare an attribute is, so
cells of different attributes compare. Measured on data/clothing with 5% of the labels flipped (frozen
MobileNet@0.25, 5 folds, Platt's calibration, 4 repeats), precision at k = number of flips was 0.53. With
uncalibrated probabilities it was 0.30. cleanlab's adjusted self-confidence had 0.15, since it subtracts each
class's mean and with it what rarity says; its normalized margin had 0.53, which for two classes is the same
order. So cleanlab adds nothing here. With today's default features and head the figure is 0.62
(experiments/README.md).

Groups. Where several images of a group have the same label, the label is the group's: one patient has a
finding or not. Its images are then one suspect, not as many as there are images, and its probability is their
mean, since the views are noisy readings of one fact. It is reported at the image that contradicts it most.
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
    """0 or 1 as given; None for a missing label."""
    probability: float
    """Out-of-fold probability that the attribute is present."""
    score: float
    """Rank key: higher is more suspect."""
    images: int = 1
    """Images of the group that have this label and are meant together."""


def find_suspects(
    targets: np.ndarray,
    probabilities: np.ndarray,
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    limit: int,
    groups: np.ndarray | None = None,
) -> tuple[Suspect, ...]:
    """List the known labels that their own model believes least, most suspect first.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        probabilities: `(N, L)` calibrated probabilities by models that did not see the image; nan where
            there is none.
        images: N names.
        attributes: L names.
        limit: the largest number of suspects.
        groups: `(N,)` numbers; images with equal ones and equal labels are one suspect. None: each image is
            its own group.

    Example::

        find_suspects(targets, held_out.probabilities, names, ("collar",), 20)[0]
        # Suspect(image="b.jpg", attribute="collar", label=0, probability=0.97, score=0.97, images=1)
    """
    table = _Cells(targets, probabilities, images, attributes)
    return table.ranked(_doubt(targets, probabilities), targets != MISSING, limit, groups)


def find_fillable(
    targets: np.ndarray,
    probabilities: np.ndarray,
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    limit: int,
    confidence: float = 0.9,
    groups: np.ndarray | None = None,
) -> tuple[Suspect, ...]:
    """List the missing labels that the model is surest of, surest first; arguments as `find_suspects`.

    `score` is the probability of the likelier answer, at least `confidence`. With groups, an image stands for
    the images of its group whose label is missing too.
    """
    table = _Cells(targets, probabilities, images, attributes)
    missing = targets == MISSING
    sure = np.maximum(probabilities, 1 - probabilities)
    if groups is None:
        return table.ranked(sure, missing & (sure >= confidence), limit, None)
    found = table.ranked(sure, missing, targets.size, groups)
    return tuple(suspect for suspect in found if suspect.score >= confidence)[: max(limit, 0)]


def _doubt(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return np.where(targets == 1, 1 - probabilities, probabilities)


@dataclass(frozen=True)
class _Cells:
    """The table whose cells are ranked."""

    targets: np.ndarray
    probabilities: np.ndarray
    images: tuple[str, ...]
    attributes: tuple[str, ...]

    def ranked(
        self, scores: np.ndarray, eligible: np.ndarray, limit: int, groups: np.ndarray | None
    ) -> tuple[Suspect, ...]:
        """The eligible cells with the highest scores, cells of one group and label together."""
        rows, columns = np.nonzero(eligible & np.isfinite(scores))
        values = scores[rows, columns]
        if groups is None:
            first, probability = np.arange(rows.size), self.probabilities[rows, columns]
            counts = np.ones(rows.size, dtype=np.int64)
        else:
            first, probability, counts = self._together(rows, columns, values, groups)
            label = self.targets[rows[first], columns[first]]
            unknown = label == MISSING
            sure = np.maximum(probability, 1 - probability)
            values = np.where(unknown, sure, _doubt(label, probability))
        order = np.argsort(-values, kind="stable")[: max(limit, 0)]
        at = first[order]
        return tuple(
            self._suspect(i, j, p, score, count)
            for i, j, p, score, count in zip(
                rows[at].tolist(),
                columns[at].tolist(),
                probability[order].tolist(),
                values[order].tolist(),
                counts[order].tolist(),
                strict=True,
            )
        )

    def _together(
        self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, groups: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per group, attribute and label: its cell of the highest score, mean probability, and cells."""
        _, group = np.unique(groups, return_inverse=True)
        label = self.targets[rows, columns].astype(np.int64) + 1
        key = (group[rows] * len(self.attributes) + columns) * 3 + label
        order = np.lexsort((-values, key))
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        counts = np.diff(starts, append=order.size)
        probability = self.probabilities[rows, columns][order]
        sums = np.add.reduceat(probability, starts) if order.size else probability
        # In the order of the table, so that ties are listed as without groups.
        place = np.argsort(order[starts], kind="stable")
        return order[starts][place], (sums / counts)[place], counts[place]

    def _suspect(self, row: int, column: int, probability: float, score: float, count: int) -> Suspect:
        label = self.targets[row, column]
        return Suspect(
            image=self.images[row],
            attribute=self.attributes[column],
            label=None if label == MISSING else int(label),
            probability=probability,
            score=score,
            images=count,
        )
