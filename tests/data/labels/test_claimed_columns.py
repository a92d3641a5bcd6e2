"""A column is for what a setting says, and for one thing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aimonk.data.labels import LabelTable
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]
Labels = Callable[[LabelTable], dict[str, list[int]]]

SPLIT = "file,belt,split\na.jpg,0,1\nb.jpg,1,1\nc.jpg,1,0\n"


@pytest.mark.parametrize("wanted", [("belt", "split"), ("belt,split",), ("Belt, Split",)])
def test_an_attribute_may_be_called_split(read: Read, labels: Labels, wanted: tuple[str, ...]) -> None:
    table = read(SPLIT, attributes=wanted)
    assert labels(table) == {"belt": [0, 1, 1], "split": [1, 1, 0]}
    assert table.split is None


@pytest.mark.parametrize("name", ["item", "patient", "tags", "bbox_x", "confidence", "id"])
def test_an_attribute_may_be_called_as_it_likes(read: Read, labels: Labels, name: str) -> None:
    table = read(SPLIT.replace("split", name), attributes=(name,))
    assert labels(table) == {name: [1, 1, 0]}
    assert table.hints == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"attributes": ("belt", "split"), "split": "split"}, "'split', which holds the sets"),
        ({"attributes": ("file",), "image": "file"}, "labels.attributes .* 'file', which names the images"),
        ({"attributes": ("belt", "split"), "group": "split"}, "'split', which labels.group names too"),
        ({"attributes": ("belt",), "ignore": ("belt",)}, "'belt', which is left out: labels.ignore names it"),
        ({"split": "file", "image": "file"}, "labels.split names the column 'file', which names the images"),
        ({"tags": ("belt",), "group": "belt"}, "labels.tags .* 'belt', which labels.group names too"),
    ],
)  # fmt: skip
def test_a_column_is_for_one_thing(read: Read, settings: dict[str, object], said: str) -> None:
    content = SPLIT.replace(",1\n", ",train\n").replace(",0\n", ",test\n") if "holds" in said else SPLIT
    with pytest.raises(LabelsError, match=said):
        read(content, **settings)


def test_the_only_column_is_named_as_one(read: Read) -> None:
    with pytest.raises(LabelsError, match="no column or tag 'xyz', .*; there is only 'belt'"):
        read("file,belt\na.jpg,0\nb.jpg,1\n", attributes=("xyz",))


def test_names_that_differ_in_case_are_kept_apart_and_named(read: Read, labels: Labels) -> None:
    said = "'Belt' and 'belt' differ only in upper and lower case and are kept apart: write them"
    tags = read("file;tags\na.jpg;belt,red\nb.jpg;Belt ,red\nc.jpg;red, Belt\n")
    assert labels(tags) == {"Belt": [0, 1, 1], "belt": [1, 0, 0], "red": [1, 1, 1]}
    assert tags.read_as.notes[0].startswith(said)
    columns = read("file,Belt,belt\na.jpg,0,1\nb.jpg,1,0\n")
    assert columns.read_as.notes[0].startswith(said)
