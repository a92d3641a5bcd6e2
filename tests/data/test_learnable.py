from __future__ import annotations

import numpy as np
import pytest

from aimonk.data.learnable import find_unlearnable


@pytest.mark.parametrize(
    ("labels", "groups", "reason"),
    [
        ([-1, -1, -1, -1], [0, 1, 2, 3], "Every label is unknown."),
        ([0, 0, -1, 0], [0, 1, 2, 3], "No image is labeled present."),
        ([1, 1, 1, -1], [0, 1, 2, 3], "No image is labeled absent."),
        ([1, 1, 0, 0], [0, 0, 1, 2], "All 2 images labeled present are in one group"),
        ([1, 1, 0, 0], [0, 1, 2, 2], "All 2 images labeled absent are in one group"),
        ([1, 0, 0, 0], [0, 1, 2, 3], "Only one image is labeled present"),
    ],
)
def test_each_reason(labels: list[int], groups: list[int], reason: str) -> None:
    targets = np.array(labels, np.float32)[:, None]
    (found,) = find_unlearnable(("red",), targets, np.array(groups))
    assert found.reason.startswith(reason)
    counts = (found.positives, found.negatives, found.unknown)
    assert counts == (labels.count(1), labels.count(0), labels.count(-1))


def test_two_groups_of_each_are_enough() -> None:
    targets = np.array([[1], [1], [0], [0]], np.float32)
    assert find_unlearnable(("red",), targets, np.arange(4)) == ()


def test_labels_of_unusable_images_are_told_apart() -> None:
    every = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]], np.float32)
    usable = np.array([[0, 1, -1], [0, 0, -1], [0, 0, -1]], np.float32)
    found = find_unlearnable(("rare", "few", "open"), usable, np.arange(3), every)
    assert [one.reason for one in found] == [
        "No usable image is labeled present.",
        "Only one usable image is labeled present, and it cannot be both learned from and tested on.",
        "Every label of a usable image is unknown.",
    ]
