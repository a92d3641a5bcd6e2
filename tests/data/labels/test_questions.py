"""Questions of tables with a row for each, called by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aimonk.data.labels import LabelTable
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]
Labels = Callable[[LabelTable], dict[str, list[int]]]

LONG = "record_id,field_name,value\n" + "".join(
    f"{name}.jpg,{question},{answer}\n"
    for name, *answers in (("a", "good", 0, 1, 1), ("b", "fair", 1, 1, 0), ("c", "good", 0, 0, 0))
    for question, answer in zip(("quality", "edema", "ulcer", "rash"), answers, strict=True)
)
RIGHT = {"edema": [0, 1, 0], "rash": [1, 0, 0], "ulcer": [1, 1, 0]}


@pytest.mark.parametrize("tags", [(), ("field_name",)])
def test_a_question_that_is_not_yes_or_no_is_left_out_by_name(
    read: Read, labels: Labels, tags: tuple[str, ...]
) -> None:
    table = read(LONG, ignore=("quality",), tags=tags)
    assert labels(table) == RIGHT
    assert (
        table.read_as.notes[0]
        == "The rows in which 'field_name' is 'quality' are left out, as the settings say."
    )
    assert table.read_as.rows == 9


def test_questions_are_chosen_by_name(read: Read, labels: Labels) -> None:
    assert labels(read(LONG, attributes=("edema", "rash"))) == {
        name: RIGHT[name] for name in ("edema", "rash")
    }
    assert labels(read(LONG, attributes=("EDEMA,ulcer",))) == {
        name: RIGHT[name] for name in ("edema", "ulcer")
    }


@pytest.mark.parametrize("tags", [(), ("field_name",)])
def test_the_error_names_the_question(read: Read, tags: tuple[str, ...]) -> None:
    mostly = LONG.replace("fair", "1").replace("c.jpg,quality,good", "c.jpg,quality,0")
    with pytest.raises(
        LabelsError, match="line 2: 'good' .* leave the question 'quality' out with labels.ignore"
    ):
        read(mostly, tags=tags)


def test_a_name_that_is_no_question_either_is_an_error(read: Read) -> None:
    with pytest.raises(LabelsError, match="has no column or tag 'qualty'"):
        read(LONG, ignore=("qualty",))


def test_places_are_those_of_the_file(read: Read) -> None:
    with pytest.raises(LabelsError, match="line 3: 'x y' is not a label in the column 'value'"):
        read(LONG.replace("a.jpg,edema,0", "a.jpg,edema,x y"), ignore=("quality",))
