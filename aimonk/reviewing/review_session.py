"""One reviewer at work: the cells, the journal, and the rules by which an answer is taken."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..data.dataset import Dataset
from .answer_book import Answer, AnswerBook, Undo, new_answer, read_entry
from .answer_journal import AnswerJournal
from .review_cell import QUEUES, ReviewCell


@dataclass(frozen=True)
class Reply:
    """What became of an answer."""

    taken: bool
    """False where another tab answered first; the page then shows that answer."""
    state: dict[str, Any]
    """The cell as the page shows it."""


class ReviewSession:
    """What a reviewer is asked and has answered.

    Every answer names the one it replaces, or none. If the cell has another answer by then, from a second
    tab, the new one is refused, so that no cell is answered twice by accident.
    """

    def __init__(
        self,
        dataset: Dataset,
        cells: Sequence[ReviewCell],
        journal: AnswerJournal,
        *,
        reviewer: str,
        run: str,
        blind: bool = True,
    ) -> None:
        self.dataset = dataset
        self.cells = {cell.key: cell for cell in cells}
        self.journal = journal
        self.reviewer = reviewer
        self.run = run
        self.blind = blind
        self.book = AnswerBook()
        with journal.locked():
            self._refresh()

    def queues(self) -> list[dict[str, Any]]:
        """Return the queues that have cells, each with its attributes and how many are answered."""
        counts: dict[str, dict[str, list[int]]] = {}
        for cell in self.cells.values():
            count = counts.setdefault(cell.queue, {}).setdefault(cell.attribute, [0, 0])
            count[0] += 1
            count[1] += self._standing(cell) is not None
        return [
            {
                "name": queue,
                "title": QUEUES[queue],
                "attributes": [
                    {"name": name, "cells": total, "answered": done}
                    for name, (total, done) in counts[queue].items()
                ],
            }
            for queue in QUEUES
            if queue in counts
        ]

    def grid(self, queue: str, attribute: str) -> list[dict[str, Any]]:
        """Return the cells of one queue and attribute as the page shows them."""
        with self.journal.locked():
            self._refresh()
        return [
            self.state(cell)
            for cell in self.cells.values()
            if cell.queue == queue and cell.attribute == attribute
        ]

    def state(self, cell: ReviewCell) -> dict[str, Any]:
        """Return a cell as the page shows it; label and probability only after the answer, if blind."""
        standing = self._standing(cell)
        state: dict[str, Any] = {
            "key": cell.key,
            "row": cell.row,
            "image": _printable(cell.image),
            "answer": standing.answer if standing else None,
            "entry": standing.entry if standing else "",
        }
        if standing or not self.blind:
            state |= {"label": cell.label, "probability": cell.probability}
        return state

    def shown(self, key: str) -> ReviewCell | None:
        """Return a cell whose label and model the reviewer may see; None if there is none, or not yet."""
        cell = self.cells.get(key)
        return cell if cell and (not self.blind or self._standing(cell)) else None

    def answer(self, key: str, answer: str, entry: str, replaces: str) -> Reply:
        """Take an answer, on the disk when this returns.

        Args:
            key: of the cell.
            answer: one of `ANSWERS`.
            entry: a new identifier; an answer that is sent again has the same one and is kept once.
            replaces: the entry that the page shows, or "".

        Raises:
            KeyError: there is no such cell.
            LabelsError: the journal cannot be written.
        """
        cell = self.cells[key]
        with self.journal.locked():
            self._refresh()
            if entry in self.book:
                return Reply(True, self.state(cell))
            standing = self._standing(cell)
            if (standing.entry if standing else "") != replaces:
                return Reply(False, self.state(cell))
            digest = self.dataset.digests[cell.row]
            self._write(
                new_answer(
                    cell,
                    answer,
                    entry=entry,
                    time=_now(),
                    reviewer=self.reviewer,
                    sha256=digest,
                    run=self.run,
                )
            )
            return Reply(True, self.state(cell))

    def undo(self, key: str, entry: str, undoes: str) -> Reply:
        """Take an answer back, so that the one before it stands, or none. Arguments as `answer`.

        Raises:
            KeyError: there is no such cell.
            LabelsError: the journal cannot be written.
        """
        cell = self.cells[key]
        with self.journal.locked():
            self._refresh()
            if entry in self.book:
                return Reply(True, self.state(cell))
            standing = self._standing(cell)
            if standing is None or standing.entry != undoes:
                return Reply(False, self.state(cell))
            self._write(Undo(entry, _now(), self.reviewer, undoes))
            return Reply(True, self.state(cell))

    def open_cells(self) -> int:
        """Return how many cells the reviewer has not answered."""
        return sum(self._standing(cell) is None for cell in self.cells.values())

    def latest(self) -> list[Answer]:
        """Return for each cell the last answer of any reviewer, those of earlier reviews too."""
        with self.journal.locked():
            self._refresh()
        return self.book.latest()

    def _standing(self, cell: ReviewCell) -> Answer | None:
        return self.book.standing(self.reviewer, (cell.image, cell.attribute))

    def _write(self, entry: Answer | Undo) -> None:
        self.journal.append(dataclasses.asdict(entry))
        self.book.add(entry)

    def _refresh(self) -> None:
        """Take in what other tabs and reviewers have written."""
        for line in self.journal.new():
            if (entry := read_entry(line)) is not None:
                self.book.add(entry)


def _printable(name: str) -> str:
    """Return a file name without the surrogates that stand for bytes that are not UTF-8."""
    return name.encode("utf-8", "replace").decode()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
