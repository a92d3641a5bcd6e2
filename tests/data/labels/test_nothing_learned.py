"""What is said of columns without labels."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from aimonk.data.labels import LabelTable
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]
Labels = Callable[[LabelTable], dict[str, list[int]]]


def test_a_column_of_two_words_beside_labels_names_every_setting_that_helps(
    read: Read, labels: Labels
) -> None:
    content = "file,belt,collar\na.jpg,jest,1\nb.jpg,brak,0\nc.jpg,,1\n"
    ((name, why),) = read(content).read_as.left_out
    assert name == "belt"
    assert why == (
        "it holds 'jest', 'brak', not labels; labels.present and labels.absent would say what they mean, and "
        "labels.tags would make each value an attribute"
    )
    told = read(content, present=("jest",), absent=("brak",), unknown=("",))
    assert labels(told) == {"belt": [1, 0, -1], "collar": [1, 0, 1]}
    more = read(content.replace("c.jpg,", "c.jpg,moze")).read_as.left_out[0][1]
    assert "labels.present" not in more


def test_columns_that_may_hold_labels_are_named_together(read: Read) -> None:
    kinds = [("nv", "male"), ("mel", "female"), ("bkl", "male"), ("nv", "male")] * 3
    rows = [f"l{at},{at}.jpg,{dx},histo,{40 + at},{sex},ann" for at, (dx, sex) in enumerate(kinds)]
    content = "\n".join(["lesion_id,image_id,dx,dx_type,age,sex,annotator", *rows])
    said = "may hold some are 'dx' ('nv', 'mel', ...), 'sex' ('male', 'female'): make"
    with pytest.raises(LabelsError, match=re.escape(said)):
        read(content)


def test_a_comment_is_not_what_holds_the_labels(read: Read) -> None:
    seen = ["Belt, Collar", "Belt", "Belt, Collar", "Collar"] * 3
    rows = [f'{at}.jpg,"{cell}",{"" if at else "blurry"}' for at, cell in enumerate(seen)]
    content = "\n".join(["photo,What do you see?,Comments", *rows])
    with pytest.raises(
        LabelsError, match="line 2: 'Belt, Collar' is not a label in the column 'What do you see"
    ):
        read(content)
