"""What numbers mean beside a threshold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aimonk.data.labels import LabelTable
from aimonk.errors import LabelsError

Read = Callable[..., LabelTable]
Labels = Callable[[LabelTable], dict[str, list[int]]]

PERCENT = "image,red,plain\n0.jpg,1%,0\n1.jpg,29 %,1\n2.jpg,100%,1\n"


def test_a_threshold_is_compared_with_percentages_as_they_are_written(read: Read, labels: Labels) -> None:
    for threshold, red in ((50, [0, 0, 1]), (29, [0, 1, 1]), (0.29, [0, 1, 1]), (0.3, [0, 0, 1])):
        assert labels(read(PERCENT, threshold=threshold)) == {"red": red, "plain": [0, 1, 1]}
    assert read(PERCENT, threshold=50).read_as.absent == (("0", 1), ("1%", 1), ("29 %", 1))
    assert labels(read(PERCENT.replace("100%", "30%"), threshold=50))["red"] == [0, 0, 0]
    assert labels(read(PERCENT, threshold=50, unknown=("29%",)))["red"] == [0, -1, 1]


def test_percentages_need_a_threshold(read: Read) -> None:
    with pytest.raises(LabelsError, match=r"line 2: '1%' .* a percentage: set labels.threshold=50 .* 50% on"):
        read(PERCENT)
    with pytest.raises(LabelsError, match=r"a percentage: set labels.threshold=0.5 to .* from 50% on"):
        read("image,red,plain\n0.jpg,1%,0.2\n1.jpg,29%,0.7\n")
    with pytest.raises(
        LabelsError, match="line 3: '1' .* no percent sign, and others such as '30%' have one"
    ):
        read("image,red\n0.jpg,30%\n1.jpg,1\n", threshold=50)


def test_shares_that_all_miss_the_threshold_are_no_labels(read: Read) -> None:
    table = read("image,red,sure\n0.jpg,0,0.2\n1.jpg,1,0.7\n", threshold=50)
    assert table.read_as.left_out == (("sure", "it holds numbers from 0.2 to 0.7, not labels"),)


def test_a_threshold_leaves_tokens_of_the_settings_alone(read: Read, labels: Labels) -> None:
    stars = "image,stars\n0.jpg,2\n1.jpg,5\n2.jpg,99\n"
    assert labels(read(stars, threshold=3, unknown=("99",))) == {"stars": [0, 1, -1]}
