"""Exports of Prodigy: what was not accepted is no label."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from aimonk.data.labels import LabelTable
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]
Labels = Callable[[LabelTable], dict[str, list[int]]]

NOTE = "2 rows are answered reject or ignore in the column 'answer'; their labels count as unknown."


def lines(*rows: tuple[str, list[str], str]) -> str:
    names = ("image", "accept", "answer")
    return "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows)


CHOICES = lines(
    ("a.jpg", ["fox", "deer"], "accept"),
    ("b.jpg", ["fox"], "reject"),
    ("c.jpg", ["deer"], "ignore"),
    ("d.jpg", [], "accept"),
)


def test_choices_that_were_not_accepted_are_unknown(read: Read, labels: Labels) -> None:
    table = read(CHOICES, "export.jsonl")
    assert labels(table) == {"deer": [1, -1, -1, 0], "fox": [1, -1, -1, 0]}
    assert table.read_as.notes == (NOTE,)
    assert table.read_as.format == "Prodigy JSON lines"


def test_an_image_that_nobody_accepted_stays_unknown_among_rows_of_one_label(
    read: Read, labels: Labels
) -> None:
    rows = lines(("a.jpg", ["fox"], "accept"), ("a.jpg", ["deer"], "accept"), ("b.jpg", ["fox"], "reject"))
    assert labels(read(rows + "\n" + lines(("c.jpg", ["fox"], "accept")), "export.jsonl")) == {
        "deer": [1, -1, 0],
        "fox": [1, -1, 1],
    }


def test_a_label_for_each_image(read: Read, labels: Labels) -> None:
    table = read("image,label,answer\na.jpg,fox,accept\nb.jpg,fox,reject\nc.jpg,deer,accept\n")
    assert labels(table) == {"deer": [0, -1, 1], "fox": [1, -1, 0]}


def test_a_rejected_label_of_an_image_with_several_is_asked_for(read: Read, labels: Labels) -> None:
    rows = "image,label,answer\na.jpg,fox,accept\na.jpg,deer,reject\nb.jpg,fox,ignore\nb.jpg,deer,accept\n"
    with pytest.raises(LabelsError, match=r"'reject' .* labels.absent=\["):
        read(rows)
    table = read(rows, present=("accept",), absent=("reject",), unknown=("ignore",))
    assert labels(table) == {"deer": [0, 1], "fox": [1, -1]}


def test_another_column_of_answers_is_left_alone(read: Read, labels: Labels) -> None:
    table = read("image,label,answer\na.jpg,fox,yes\na.jpg,deer,no\nb.jpg,fox,no\n")
    assert labels(table) == {"deer": [0, -1], "fox": [1, 0]}
