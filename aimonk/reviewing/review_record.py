"""A note beside corrected labels: which training was reviewed, and where the answers are."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ..atomic_files import write_whole
from ..errors import FeatureStoreError, LabelsError
from .answer_book import Answer, AnswerBook, read_entry
from .answer_journal import AnswerJournal, journal_path


@dataclass(frozen=True)
class ReviewRecord:
    """A review that labels come from."""

    run: str
    """The training whose scores said what was doubtful."""
    answers: tuple[Answer, ...]
    """One for each cell; none where the journal is gone."""


def record_path(labels: Path) -> Path:
    """Return where the note of a corrected labels file is.

    >>> record_path(Path("photos/corrected.csv")).as_posix()
    'photos/corrected.csv.reviewed.json'
    """
    return labels.with_name(f"{labels.name}.reviewed.json")


def write_record(labels: Path, run: str, journal: Path) -> None:
    """Note what corrected labels come from. The journal's place is kept relative to them.

    Raises:
        LabelsError: the note cannot be written.
    """
    try:
        place = os.path.relpath(journal.resolve(), labels.resolve().parent)
    except ValueError:  # another drive
        place = str(journal.resolve())
    try:
        write_whole(record_path(labels), json.dumps({"run": run, "journal": place}).encode())
    except FeatureStoreError as error:
        raise LabelsError(f"Cannot write the note of the review beside {labels}: {error}") from None


def find_record(labels: Path) -> ReviewRecord | None:
    """Return the review that a labels file comes from.

    That is what the note beside it says. Without a note, a journal beside the labels says it, whose last
    answer names the training: then the file itself was corrected.

    Raises:
        LabelsError: the note or the journal cannot be read.
    """
    note = record_path(labels)
    if note.is_file():
        try:
            said = json.loads(note.read_text(encoding="utf-8"))
            run, journal = str(said["run"]), labels.resolve().parent / str(said["journal"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabelsError(
                f"{note} should say which review {labels.name} comes from, but it cannot be read "
                f"({type(error).__name__}); remove it, or write the labels again with aimonk review."
            ) from None
        return ReviewRecord(run, _answers(journal))
    answers = _answers(journal_path(labels))
    return ReviewRecord(max(answers, key=lambda one: one.time).run, answers) if answers else None


def _answers(journal: Path) -> tuple[Answer, ...]:
    lines = AnswerJournal(journal).new()
    return tuple(AnswerBook(entry for line in lines if (entry := read_entry(line))).latest())
