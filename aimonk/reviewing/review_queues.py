"""Which cells are asked about, and in which order.

Controls. A reviewer who is shown nothing but suspects learns that "the label is wrong" is the usual answer.
So a share of every queue is a random sample of known cells. The known cells of each attribute are put into
one random order, and the queues take the first ones, of all attributes by turns. The controls of an attribute
are therefore a simple random sample of its known cells, however many of them are asked and whatever else is
asked, which is what `evaluation.review_bias` needs. A suspect that is drawn is asked once and counts as both.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest

import numpy as np

from ..data.dataset import Dataset
from ..data.labels import MISSING
from ..evaluation.label_errors import Suspect, find_fillable, find_suspects
from .review_cell import QUEUES, ReviewCell

Place = tuple[str, str]
"""Image and attribute."""


def build_queues(
    dataset: Dataset,
    probabilities: np.ndarray,
    *,
    limit: int = 500,
    control_share: float = 0.2,
    seed: int = 0,
    suggested: Iterable[Place] | None = None,
) -> tuple[ReviewCell, ...]:
    """Return the cells to ask about, each once, in the order of the queues.

    Args:
        dataset: N images and L attributes.
        probabilities: `(N, L)` out-of-fold probabilities; nan where there is none.
        limit: the largest number of cells of a queue, controls not counted.
        control_share: share of a queue that are controls, from 0 to below 1.
        seed: of the random order. Equal seeds draw equal controls.
        suggested: cells to label next, best first. By default those missing labels of which the model is
            least certain.

    Example::

        cells = build_queues(dataset, probabilities, limit=200)
        [cell.image for cell in cells if cell.queue == "suspects" and cell.attribute == "collar"]
    """
    table = _Table(dataset, probabilities)
    places = {
        "contradictions": table.contradictions(),
        "suspects": table.suspects(limit),
        "fill": table.fillable(limit),
        "suggestions": table.uncertain(limit) if suggested is None else table.known_places(suggested),
    }
    asked: dict[Place, ReviewCell] = {}
    for queue in QUEUES:
        for place in places[queue][:limit]:
            asked.setdefault(place, table.cell(place, queue))
    return _with_controls(table, list(asked.values()), control_share, seed)


class _Table:
    """The cells of a data set by name."""

    def __init__(self, dataset: Dataset, probabilities: np.ndarray) -> None:
        self.dataset = dataset
        self.probabilities = probabilities
        self.rows = {name: row for row, name in enumerate(dataset.names)}
        self.columns = {name: column for column, name in enumerate(dataset.attributes)}
        self.in_sample = (dataset.targets != MISSING) & np.isfinite(probabilities)

    def cell(self, place: Place, queue: str) -> ReviewCell:
        image, attribute = place
        row, column = self.rows[image], self.columns[attribute]
        label, probability = self.dataset.targets[row, column], self.probabilities[row, column]
        return ReviewCell(
            row=row,
            image=image,
            attribute=attribute,
            queue=queue,
            label=None if label == MISSING else int(label),
            probability=float(probability) if np.isfinite(probability) else None,
            known=int(self.in_sample[:, column].sum()),
        )

    def contradictions(self) -> list[Place]:
        found = self.dataset.audit.contradictions
        return self.known_places((image, one.attribute) for one in found for image in one.images)

    def suspects(self, limit: int) -> list[Place]:
        """Known labels that the model holds for wrong rather than right."""
        found = self._places(find_suspects(*self._arguments(), limit))
        return [place for place, score in found if score > 0.5]

    def fillable(self, limit: int) -> list[Place]:
        return [place for place, _ in self._places(find_fillable(*self._arguments(), limit))]

    def uncertain(self, limit: int) -> list[Place]:
        """Missing labels, the least certain first."""
        missing = (self.dataset.targets == MISSING) & np.isfinite(self.probabilities)
        rows, columns = np.nonzero(missing)
        order = np.argsort(np.abs(self.probabilities[rows, columns] - 0.5), kind="stable")[:limit]
        names, attributes = self.dataset.names, self.dataset.attributes
        return [(names[rows[i]], attributes[columns[i]]) for i in order.tolist()]

    def known_places(self, places: Iterable[Place]) -> list[Place]:
        """The places that the data set has, each once."""
        return [
            place for place in dict.fromkeys(places) if place[0] in self.rows and place[1] in self.columns
        ]

    def _arguments(self) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[str, ...]]:
        return self.dataset.targets, self.probabilities, self.dataset.names, self.dataset.attributes

    def _places(self, found: Sequence[Suspect]) -> list[tuple[Place, float]]:
        return [((one.image, one.attribute), one.score) for one in found]


def _with_controls(table: _Table, asked: list[ReviewCell], share: float, seed: int) -> tuple[ReviewCell, ...]:
    """Mix controls into each queue at random places of their attribute; the others keep their order."""
    cells = {(cell.image, cell.attribute): cell for cell in asked}
    sample = _by_turns(table, seed)
    batches: dict[tuple[str, str], list[Place]] = {}
    controls: dict[tuple[str, str], list[Place]] = {}
    for queue in QUEUES:
        places = [place for place, cell in cells.items() if cell.queue == queue and cell.doubted]
        for place in places:
            batches.setdefault((queue, place[1]), []).append(place)
        for place in islice(sample, round(len(places) * share / (1 - share))):
            if place in cells:
                cells[place] = replace(cells[place], control=True)
            else:
                cells[place] = replace(table.cell(place, queue), control=True, doubted=False)
                controls.setdefault((queue, place[1]), []).append(place)
    mixed = [
        _interleaved(batches.get(at, []), controls.get(at, []), _generator(seed, "/".join(at)))
        for at in dict.fromkeys((*batches, *controls))
    ]
    places = [place for batch in mixed for place in batch]
    return tuple(sorted((cells[place] for place in places), key=lambda cell: list(QUEUES).index(cell.queue)))


def _by_turns(table: _Table, seed: int) -> Iterator[Place]:
    """All known cells that have a probability: of each attribute in one random order, attributes by turns."""
    orders = []
    for column, attribute in enumerate(table.dataset.attributes):
        rows = _generator(seed, attribute).permutation(np.flatnonzero(table.in_sample[:, column]))
        orders.append([(table.dataset.names[row], attribute) for row in rows.tolist()])
    turns = _generator(seed, "").permutation(len(orders)).tolist()
    for cells in zip_longest(*(orders[turn] for turn in turns)):
        yield from (cell for cell in cells if cell is not None)


def _interleaved(ranked: list[Place], controls: list[Place], generator: np.random.Generator) -> list[Place]:
    """Both lists in their own order, mixed at random."""
    is_control = generator.permutation(len(ranked) + len(controls)) < len(controls)
    ours, theirs = iter(ranked), iter(controls)
    return [next(theirs) if control else next(ours) for control in is_control.tolist()]


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode("utf-8", "surrogateescape"))])
