"""How a file was read, in sentences that are right for one as for many."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aimonk.data.labels import LabelTable, ReadAs
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]


def test_one_name_and_several_that_differ_from_their_files() -> None:
    read = ReadAs(matched=(("case", 1, "A.jpg", "a.jpg"), ("suffix", 2, "b.png", "b.jpg")))
    assert read.sentences()[2:] == [
        "1 image name differs from its file by case: 'A.jpg' for 'a.jpg'.",
        "2 image names differ from their files by suffix, such as 'b.png' for 'b.jpg'.",
    ]


@pytest.mark.parametrize(("found", "count"), [(0, "count"), (1, "counts"), (2, "count")])
def test_contradictions(found: int, count: str) -> None:
    sentence = ReadAs(rows=3, images=1, contradictions=found).sentences()[2]
    assert sentence.startswith("3 rows name 1 image; ")
    assert sentence.endswith(f"kept, {found} on which they disagree {count} as unknown.")


def test_images_without_a_group_are_counted(read: Read) -> None:
    table = read("file,belt,patient\na.jpg,0,\nb.jpg,1,P0\nc.jpg,1,P0\n", group="patient")
    assert table.read_as.groups == 2
    note = "1 image has a blank cell in 'patient'; each such image is a group of its own."
    assert table.read_as.notes == (note,)


def test_an_expression_without_parentheses_is_told_from_a_name(read: Read) -> None:
    content = "file,belt\np1.jpg,0\np2.jpg,1\n"
    with pytest.raises(
        LabelsError, match="there are file, belt; a regular expression needs one pair of paren"
    ):
        read(content, group="^p..")
    with pytest.raises(LabelsError, match="there are file, belt.$"):
        read(content, group="patient")
