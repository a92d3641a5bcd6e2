from __future__ import annotations

import json
import logging
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.errors import LabelsError
from aimonk.reviewing.answer_journal import AnswerJournal, journal_path


@pytest.fixture
def journal(tmp_path: Path) -> AnswerJournal:
    return AnswerJournal(tmp_path / "labels.csv.review.jsonl")


def add(journal: AnswerJournal, **line: object) -> None:
    with journal.locked():
        journal.append(line)


def test_it_stands_beside_the_labels_be_they_a_file_or_a_folder(tmp_path: Path) -> None:
    assert journal_path(tmp_path / "labels.csv") == tmp_path / "labels.csv.review.jsonl"
    assert journal_path(tmp_path / "classes") == tmp_path / "classes.review.jsonl"


def test_lines_come_back_once_and_in_order(journal: AnswerJournal) -> None:
    assert journal.new() == []
    add(journal, number=1)
    add(journal, number=2, name="été\n👗")
    assert journal.new() == [{"number": 1}, {"number": 2, "name": "été\n👗"}]
    assert journal.new() == []
    add(AnswerJournal(journal.path), number=3)
    assert journal.new() == [{"number": 3}]


@pytest.mark.parametrize("cut", range(1, 13))
def test_a_kill_in_the_middle_of_a_line_costs_that_line_only(
    journal: AnswerJournal, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    add(journal, number=1)
    whole = journal.path.read_bytes()
    assert len(whole) == 13
    add(journal, number=2)
    os.truncate(journal.path, len(whole) + cut)  # the last line lacks its end
    reopened = AnswerJournal(journal.path)
    assert reopened.new() == [{"number": 1}]
    with caplog.at_level(logging.WARNING, "aimonk.reviewing"):
        add(reopened, number=3)
        found = AnswerJournal(journal.path).new()
    assert found[0] == {"number": 1} and found[-1] == {"number": 3}
    if cut < 12:  # with all but its line end, the answer is there, though it was never confirmed
        assert len(found) == 2
        assert "torn line" in caplog.text
    assert reopened.new() == found[1:]


def test_a_line_that_is_being_written_is_left_for_later(journal: AnswerJournal) -> None:
    add(journal, number=1)
    with journal.path.open("ab") as file:
        file.write(b'{"numb')
        file.flush()
        assert journal.new() == [{"number": 1}]
        file.write(b'er":2}\n')
    assert journal.new() == [{"number": 2}]


def write_many(path: Path, writer: int) -> None:
    journal = AnswerJournal(path)
    for number in range(50):
        with journal.locked():
            journal.append({"writer": writer, "number": number, "filler": "x" * 2000})


def test_two_processes_write_whole_lines(journal: AnswerJournal) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(journal.path, writer)) for writer in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    lines = journal.new()
    assert len(lines) == 100
    for writer in (0, 1):
        assert [line["number"] for line in lines if line["writer"] == writer] == list(range(50))


def test_nothing_but_the_journal_stays_behind(journal: AnswerJournal) -> None:
    add(journal, number=1)
    with AnswerJournal(journal.path).locked():
        journal.close()  # in use: left alone
    journal.close()
    journal.close()
    assert [path.name for path in journal.path.parent.iterdir()] == [journal.path.name]
    add(journal, number=2)
    assert journal.new() == [{"number": 1}, {"number": 2}]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = AnswerJournal(tmp_path / "file" / "labels.csv.review.jsonl")
    with pytest.raises(LabelsError, match="Cannot write the answers to"):
        add(journal, number=1)


@given(st.lists(st.dictionaries(st.text(), st.text() | st.none() | st.integers())))
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    journal = AnswerJournal(path)
    for line in lines:
        with journal.locked():
            journal.append(line)
    assert AnswerJournal(path).new() == lines
    assert [json.loads(line) for line in path.read_text().splitlines()] == lines if lines else True
