from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aimonk.data.dataset import Dataset
from aimonk.reviewing.answer_journal import AnswerJournal
from aimonk.reviewing.review_queues import build_queues
from aimonk.reviewing.review_session import ReviewSession

Open = Callable[..., ReviewSession]


@pytest.fixture
def open_session(dataset: Dataset, probabilities: np.ndarray, tmp_path: Path) -> Open:
    cells = build_queues(dataset, probabilities, control_share=0)

    def make(reviewer: str = "ann", blind: bool = True) -> ReviewSession:
        journal = AnswerJournal(tmp_path / "j.jsonl")
        return ReviewSession(dataset, cells, journal, reviewer=reviewer, run="r", blind=blind)

    return make


def key_of(session: ReviewSession, image: str) -> str:
    return next(key for key, cell in session.cells.items() if cell.image == image)


def test_label_and_model_are_hidden_until_the_answer(open_session: Open) -> None:
    session = open_session()
    cell = session.grid("suspects", "belt")[0]
    assert cell == {"key": key_of(session, "a.png"), "row": 0, "image": "a.png", "answer": None, "entry": ""}
    reply = session.answer(cell["key"], "absent", "e1", "")
    assert reply.taken
    assert reply.state == {**cell, "answer": "absent", "entry": "e1", "label": 1, "probability": 0.1}
    assert session.undo(cell["key"], "e2", "e1").state == cell
    assert open_session(blind=False).grid("suspects", "belt")[0]["probability"] == 0.1


def test_queues_count_what_is_answered(open_session: Open) -> None:
    session = open_session()
    session.answer(key_of(session, "a.png"), "present", "e1", "")
    assert session.queues()[0]["attributes"] == [
        {"name": "belt", "cells": 2, "answered": 1},
        {"name": "collar", "cells": 1, "answered": 0},
    ]
    assert session.open_cells() == 4


def test_a_second_tab_does_not_answer_again(open_session: Open) -> None:
    first, second = open_session(), open_session()
    key = key_of(first, "a.png")
    assert first.answer(key, "present", "e1", "").taken
    refused = second.answer(key, "absent", "e2", "")
    assert not refused.taken and refused.state["answer"] == "present"
    assert second.answer(key, "absent", "e3", "e1").taken  # it has seen the first one
    assert [one.answer for one in first.latest()] == ["absent"]


def test_an_answer_that_is_sent_again_is_kept_once(open_session: Open, tmp_path: Path) -> None:
    session = open_session()
    key = key_of(session, "a.png")
    session.answer(key, "present", "e1", "")
    restarted = open_session()
    assert restarted.answer(key, "present", "e1", "").taken
    restarted.undo(key, "e2", "e1")
    assert restarted.undo(key, "e2", "e1").taken
    assert restarted.answer(key, "present", "e1", "").state["answer"] is None  # it was undone since
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == 2


def test_only_the_answer_that_stands_is_undone(open_session: Open) -> None:
    session = open_session()
    key = key_of(session, "a.png")
    session.answer(key, "present", "e1", "")
    session.answer(key, "absent", "e2", "e1")
    assert not session.undo(key, "e3", "e1").taken
    assert session.undo(key, "e4", "e2").state["answer"] == "present"


def test_reviewers_do_not_see_each_others_answers(open_session: Open) -> None:
    ann, bob = open_session("ann"), open_session("bob")
    key = key_of(ann, "a.png")
    ann.answer(key, "present", "e1", "")
    assert bob.grid("suspects", "belt")[0]["answer"] is None
    assert bob.answer(key, "absent", "e2", "").taken
    assert [(one.reviewer, one.answer) for one in ann.latest()] == [("bob", "absent")]


def test_of_many_tabs_at_once_one_answers(open_session: Open) -> None:
    sessions = [open_session() for _ in range(8)]
    key = key_of(sessions[0], "a.png")
    barrier = threading.Barrier(8)
    taken: list[bool] = []

    def work(number: int) -> None:
        barrier.wait()
        taken.append(sessions[number].answer(key, "present", f"e{number}", "").taken)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]
