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
    return table.ranked(targets != MISSING, limit, groups)


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
    return table.ranked(targets == MISSING, limit, groups, confidence)


def _score(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Doubt in a known label, certainty of the likelier answer for a missing one."""
    doubt = np.where(label == 1, 1 - probability, probability)
    return np.where(label == MISSING, np.maximum(probability, 1 - probability), doubt)


@dataclass(frozen=True)
class _Cells:
    """The table whose cells are ranked."""

    targets: np.ndarray
    probabilities: np.ndarray
    images: tuple[str, ...]
    attributes: tuple[str, ...]

    def ranked(
        self, eligible: np.ndarray, limit: int, groups: np.ndarray | None, least: float = -np.inf
    ) -> tuple[Suspect, ...]:
        """The eligible cells with the highest scores, cells of one group and label together.

        The best of each attribute are taken first, so that memory does not grow with their number. Equal
        scores are in the order of the table.
        """
        numbers = None
        if groups is not None:
            found, numbers = np.unique(groups, return_inverse=True)
            numbers = None if found.size == groups.size else numbers
        parts = []
        for column in range(len(self.attributes)):
            rows = np.flatnonzero(eligible[:, column] & np.isfinite(self.probabilities[:, column]))
            rows, probability, counts = self._together(rows, column, numbers)
            values = _score(self.targets[rows, column], probability)
            best = np.argsort(-values, kind="stable")[: max(limit, 0)]
            best = best[values[best] >= least]
            columns = np.full(best.size, column)
            parts.append((rows[best], columns, probability[best], values[best], counts[best]))
        cells = [np.concatenate(part) for part in zip(*parts, strict=True)]
        order = np.lexsort((cells[1], cells[0], -cells[3]))[: max(limit, 0)]
        return tuple(map(self._suspect, *(cell[order].tolist() for cell in cells)))

    def _together(
        self, rows: np.ndarray, column: int, numbers: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per group and label: the row of its highest score, the mean probability, and the number of rows."""
        probability, label = self.probabilities[rows, column], self.targets[rows, column]
        if numbers is None or not rows.size:
            return rows, probability, np.ones(rows.size, dtype=np.int64)
        key = numbers[rows] * 3 + label.astype(np.int64) + 1
        order = np.lexsort((-_score(label, probability), key))
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        counts = np.diff(starts, append=order.size)
        means = np.add.reduceat(probability[order], starts) / counts
        place = np.argsort(order[starts], kind="stable")  # in the order of the table
        return rows[order[starts][place]], means[place], counts[place]

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
