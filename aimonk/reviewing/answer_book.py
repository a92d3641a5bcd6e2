"""What the journal's lines amount to: the answer that stands for each cell and reviewer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .review_cell import ReviewCell

ANSWERS = ("present", "absent", "unclear", "skipped")
"""What a reviewer can say. `unclear` ("cannot tell") makes the label missing; `skipped` changes nothing."""


@dataclass(frozen=True)
class Answer:
    """One line of the journal: what a reviewer said of a cell, and what was known then."""

    entry: str
    """Chosen by the page, so that an answer that is sent twice is kept once."""
    time: str
    """ISO 8601, UTC."""
    reviewer: str
    image: str
    sha256: str
    attribute: str
    answer: str
    queue: str
    label: int | None
    probability: float | None
    control: bool
    doubted: bool
    known: int
    run: str

    @property
    def place(self) -> tuple[str, str]:
        """Image and attribute."""
        return self.image, self.attribute


@dataclass(frozen=True)
class Undo:
    """One line of the journal: an earlier answer of the same reviewer no longer counts."""

    entry: str
    time: str
    reviewer: str
    undoes: str


Entry = Answer | Undo
_FIELDS = {kind: {field.name for field in dataclasses.fields(kind)} for kind in (Answer, Undo)}


def read_entry(line: dict[str, Any]) -> Entry | None:
    """Return the line as a record; None if it is not one of ours."""
    kind = Undo if "undoes" in line else Answer
    if not _FIELDS[kind] <= line.keys() or (kind is Answer and line["answer"] not in ANSWERS):
        return None
    return kind(**{name: line[name] for name in _FIELDS[kind]})


class AnswerBook:
    """The state after all entries so far.

    For each cell and reviewer the last answer that is not undone stands. For the labels, the last of those
    of all reviewers does.

    >>> book = AnswerBook()
    >>> book.standing("ann", ("a.jpg", "red")) is None
    True
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._seen: set[str] = set()
        self._undone: set[tuple[str, str]] = set()
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        for entry in entries:
            self.add(entry)

    def __contains__(self, entry: str) -> bool:
        return entry in self._seen

    def add(self, entry: Entry) -> None:
        """Take in the next entry; one that is known already changes nothing."""
        if entry.entry in self._seen:
            return
        self._seen.add(entry.entry)
        if isinstance(entry, Undo):
            self._undone.add((entry.reviewer, entry.undoes))
        else:
            self._answers.setdefault(entry.place, []).append(entry)

    def standing(self, reviewer: str, place: tuple[str, str]) -> Answer | None:
        """Return what a reviewer says of a cell."""
        return next(
            (one for one in self._valid(place) if one.reviewer == reviewer),
            None,
        )

    def latest(self) -> list[Answer]:
        """Return for each cell the last answer of any reviewer, in the order of the first ones."""
        return [found for place in self._answers if (found := next(self._valid(place), None))]

    def by_reviewer(self) -> list[Answer]:
        """Return what stands for each cell and reviewer."""
        found: list[Answer] = []
        for place in self._answers:
            said = {one.reviewer: one for one in reversed(list(self._valid(place)))}
            found += said.values()
        return found

    def _valid(self, place: tuple[str, str]) -> Iterator[Answer]:
        """The answers to a cell that are not undone, the last first."""
        for one in reversed(self._answers.get(place, [])):
            if (one.reviewer, one.entry) not in self._undone:
                yield one


def new_answer(
    cell: ReviewCell, answer: str, *, entry: str, time: str, reviewer: str, sha256: str, run: str
) -> Answer:
    """Return the record of an answer to a cell."""
    return Answer(
        entry=entry,
        time=time,
        reviewer=reviewer,
        image=cell.image,
        sha256=sha256,
        attribute=cell.attribute,
        answer=answer,
        queue=cell.queue,
        label=cell.label,
        probability=cell.probability,
        control=cell.control,
        doubted=cell.doubted,
        known=cell.known,
        run=run,
    )
