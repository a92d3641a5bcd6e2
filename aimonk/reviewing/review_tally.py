"""What a review came to: answers, corrections, and how far the reviewers can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from ..evaluation.intervals import UNDEFINED, Interval
from .answer_book import Answer, AnswerBook


@dataclass(frozen=True)
class ReviewerTally:
    """One reviewer's answers."""

    name: str
    answers: dict[str, int]
    """Number of each of `ANSWERS`."""
    controls: int
    """Answers "present" or "absent" to random known cells on whose label the model agrees."""
    contradicted: int
    """How many of these contradict label and model."""
    error_rate: Interval
    """Share of contradicted controls, with a 95% interval by Clopper and Pearson (1934).

    Label and model are rarely wrong together, so this is close to the reviewer's own error rate, and a little
    above it.
    """


@dataclass(frozen=True)
class ReviewTally:
    """All reviewers' answers."""

    reviewers: tuple[ReviewerTally, ...]
    disputed: tuple[tuple[str, str], ...]
    """Image and attribute of cells that one reviewer calls present and another one absent."""


def tally(book: AnswerBook) -> ReviewTally:
    """Sum up the answers that stand."""
    standing = book.by_reviewer()
    by_name: dict[str, list[Answer]] = {}
    said: dict[tuple[str, str], set[str]] = {}
    for one in standing:
        by_name.setdefault(one.reviewer, []).append(one)
        said.setdefault(one.place, set()).add(one.answer)
    disputed = tuple(place for place, answers in said.items() if {"present", "absent"} <= answers)
    return ReviewTally(tuple(_of_reviewer(name, answers) for name, answers in by_name.items()), disputed)


def _of_reviewer(name: str, answers: Sequence[Answer]) -> ReviewerTally:
    controls = [one for one in answers if _is_unsuspicious(one) and one.answer in ("present", "absent")]
    contradicted = sum((one.answer == "present") != (one.label == 1) for one in controls)
    return ReviewerTally(
        name=name,
        answers=dict(Counter(one.answer for one in answers)),
        controls=len(controls),
        contradicted=contradicted,
        error_rate=_share(contradicted, len(controls)),
    )


def _is_unsuspicious(one: Answer) -> bool:
    """Whether the cell was drawn at random and the model agrees with its label."""
    if not one.control or one.label is None or one.probability is None:
        return False
    return (one.probability > 0.5) == (one.label == 1)


def _share(part: int, whole: int) -> Interval:
    if not whole:
        return UNDEFINED
    found = binomtest(part, whole).proportion_ci()
    return Interval(part / whole, float(found.low), float(found.high))
