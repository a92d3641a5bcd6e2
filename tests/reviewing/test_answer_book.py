from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from aimonk.reviewing.answer_book import ANSWERS, Answer, AnswerBook, Entry, Undo, new_answer, read_entry
from aimonk.reviewing.review_cell import ReviewCell

CELL = ReviewCell(0, "a.jpg", "belt", "suspects", 1, 0.1)
PLACE = ("a.jpg", "belt")


def said(entry: str, answer: str, reviewer: str = "ann", image: str = "a.jpg") -> Answer:
    cell = dataclasses.replace(CELL, image=image)
    return new_answer(cell, answer, entry=entry, time="", reviewer=reviewer, sha256="", run="r")


def test_the_last_answer_stands_and_undo_brings_the_one_before_back() -> None:
    book = AnswerBook([said("1", "present"), said("2", "absent")])
    assert book.standing("ann", PLACE) == said("2", "absent")
    book.add(Undo("3", "", "ann", "2"))
    assert book.standing("ann", PLACE) == said("1", "present")
    book.add(Undo("4", "", "ann", "1"))
    assert book.standing("ann", PLACE) is None
    assert book.latest() == []


def test_nobody_undoes_another_reviewers_answer() -> None:
    book = AnswerBook([said("1", "present"), Undo("2", "", "bob", "1")])
    assert book.standing("ann", PLACE) == said("1", "present")


def test_each_reviewer_has_an_answer_and_the_labels_take_the_last() -> None:
    book = AnswerBook([said("1", "present"), said("2", "absent", "bob"), said("3", "unclear", "ann")])
    assert book.standing("bob", PLACE) == said("2", "absent", "bob")
    assert book.latest() == [said("3", "unclear")]
    assert sorted(one.entry for one in book.by_reviewer()) == ["2", "3"]
    book.add(Undo("4", "", "ann", "3"))
    assert book.latest() == [said("2", "absent", "bob")]


def test_an_entry_that_comes_twice_counts_once() -> None:
    book = AnswerBook([said("1", "present"), said("1", "absent")])
    assert book.latest() == [said("1", "present")]
    assert "1" in book and "2" not in book


def test_lines_that_are_not_entries_are_none() -> None:
    line = dataclasses.asdict(said("1", "present"))
    assert read_entry(line) == said("1", "present")
    assert read_entry({**line, "more": 1}) == said("1", "present")
    assert read_entry({**line, "answer": "perhaps"}) is None
    assert read_entry({"undoes": "1"}) is None
    assert read_entry({}) is None


entries = st.lists(
    st.one_of(
        st.builds(said, st.uuids().map(str), st.sampled_from(ANSWERS), st.sampled_from(("ann", "bob"))),
        st.builds(Undo, st.uuids().map(str), st.just(""), st.sampled_from(("ann", "bob")), st.just("1")),
    )
)


@given(entries)
def test_at_most_one_answer_stands_for_each_cell_and_reviewer(found: list[Entry]) -> None:
    book = AnswerBook([said("1", "present"), *found])
    standing = [(one.reviewer, one.place) for one in book.by_reviewer()]
    assert len(standing) == len(set(standing))
    for one in book.by_reviewer():
        assert book.standing(one.reviewer, one.place) == one
