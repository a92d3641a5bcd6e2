from __future__ import annotations

import dataclasses

import pytest

from aimonk.reviewing.answer_book import Answer, AnswerBook
from aimonk.reviewing.review_tally import tally

from .test_answer_book import said


def test_the_error_rate_counts_controls_on_which_label_and_model_agree() -> None:
    def control(number: int, answer: str, label: int | None, probability: float) -> Answer:
        return dataclasses.replace(
            said(str(number), answer, image=f"{number}.jpg"),
            label=label,
            probability=probability,
            control=True,
        )

    answers = [
        control(0, "present", 1, 0.9),
        control(1, "absent", 1, 0.9),  # contradicts both
        control(2, "absent", 0, 0.1),
        control(3, "unclear", 0, 0.1),  # says nothing
        control(4, "present", 0, 0.9),  # the model agrees with the reviewer
        said("5", "absent", image="5.jpg"),  # a suspect
    ]
    (one,) = tally(AnswerBook(answers)).reviewers
    assert (one.controls, one.contradicted) == (3, 1)
    assert one.answers == {"present": 2, "absent": 3, "unclear": 1}
    assert one.error_rate.value == pytest.approx(1 / 3)
    # Clopper and Pearson for 1 of 3, from tables
    assert (one.error_rate.low, one.error_rate.high) == pytest.approx((0.0084, 0.9057), abs=1e-4)


def test_disputes_are_named() -> None:
    book = AnswerBook([said("1", "present"), said("2", "absent", "bob"), said("3", "present", image="b.jpg")])
    assert tally(book).disputed == (("a.jpg", "belt"),)
