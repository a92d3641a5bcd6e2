from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aimonk.errors import LabelsError
from aimonk.reviewing.answer_journal import AnswerJournal, journal_path
from aimonk.reviewing.review_record import find_record, record_path, write_record


def answered(journal: Path, *answers: tuple[str, str, str]) -> None:
    """Answers about the cell (image, scarf), by run and time."""
    book = AnswerJournal(journal)
    for number, (image, run, time) in enumerate(answers):
        entry: dict[str, Any] = {
            "entry": f"e{number}",
            "time": time,
            "reviewer": "ann",
            "image": image,
            "sha256": "0",
        }
        entry |= {"attribute": "scarf", "answer": "absent", "queue": "suspects", "label": 1}
        entry |= {"probability": 0.1, "control": False, "doubted": True, "known": 5, "run": run}
        with book.locked():
            book.append(entry)


def test_the_note_leads_from_corrected_labels_to_the_answers(tmp_path: Path) -> None:
    journal = journal_path(tmp_path / "labels.csv")
    answered(journal, ("a.jpg", "first", "2026-01-01"), ("b.jpg", "first", "2026-01-02"))
    out = tmp_path / "new" / "corrected.csv"
    out.parent.mkdir()
    write_record(out, "first", journal)
    found = find_record(out)
    assert found is not None
    assert found.run == "first"
    assert [one.image for one in found.answers] == ["a.jpg", "b.jpg"]
    moved = tmp_path.rename(tmp_path.with_name("moved"))  # both together
    assert find_record(moved / "new" / "corrected.csv") == found


def test_a_journal_beside_the_labels_names_the_last_run(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    assert find_record(labels) is None
    answered(journal_path(labels), ("a.jpg", "second", "2026-02-01"), ("b.jpg", "first", "2026-01-01"))
    found = find_record(labels)
    assert found is not None
    assert (found.run, len(found.answers)) == ("second", 2)


def test_a_lost_journal_leaves_the_run(tmp_path: Path) -> None:
    write_record(tmp_path / "c.csv", "first", tmp_path / "gone.jsonl")
    found = find_record(tmp_path / "c.csv")
    assert found is not None
    assert (found.run, found.answers) == ("first", ())


@pytest.mark.parametrize("text", ["{", "[]", '{"run": "x"}'])
def test_a_damaged_note_is_one_sentence(tmp_path: Path, text: str) -> None:
    record_path(tmp_path / "c.csv").write_text(text)
    with pytest.raises(LabelsError, match=r"should say which review c\.csv comes from.*remove it"):
        find_record(tmp_path / "c.csv")
