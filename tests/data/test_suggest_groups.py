from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aimonk.data.labels import LabelTable
from aimonk.data.suggest_groups import agreement_p_value, group_values, suggested_groups


def table(names: Sequence[str], targets: np.ndarray | None = None, attribute: str = "red") -> LabelTable:
    if targets is None:
        targets = np.random.default_rng(0).integers(0, 2, (len(names), 1)).astype(np.float32)
    return LabelTable(Path("labels.csv"), tuple(names), (attribute,), targets)


VIEWS = range(4)


@pytest.mark.parametrize(
    ("names", "setting", "groups"),
    [
        ([f"p{n:02}_view{v}.jpg" for n in range(10) for v in VIEWS], "^([^_]+)_", 10),
        ([f"IMG_p{n:02}_{v}.jpg" for n in range(10) for v in VIEWS], "^([^_]+_[^_]+)_", 10),
        ([f"dir/s-{n}-{v}.jpg" for n in range(10) for v in VIEWS], "^([^-]+-[^-]+)-", 10),
        ([f"x/patient{n:03}/study/{v}.jpg" for n in range(10) for v in VIEWS], r"(patient\d+)/", 10),
        ([f"{n}/{v}.jpg" for n in range(10) for v in VIEWS], "^([^/]+)/", 10),
    ],
)
def test_names_suggest_groups(names: list[str], setting: str, groups: int) -> None:
    found = suggested_groups(table(names))
    assert found is not None
    assert (found.setting, found.groups, found.images) == (setting, groups, len(names))
    assert len(set(group_values(setting, names))) == groups
    assert f"--group '{setting}'" in found.sentence()


@pytest.mark.parametrize(
    "names",
    [
        [f"{n:06}.jpg" for n in range(40)],
        [f"IMG_{n:04}.jpg" for n in range(40)],
        [f"train_{n}.jpg" for n in range(40)],
        [f"{n:06}_jpg.rf.{n:x}.jpg" for n in range(40)],
        [f"{part}/{n}.jpg" for part in ("train", "valid", "test") for n in range(10)],
        [f"{word}/{n}.jpg" for word in ("cat", "dog", "cow", "hen", "fox", "owl") for n in range(10)],
    ],
)
def test_other_names_do_not(names: list[str]) -> None:
    assert suggested_groups(table(names)) is None


def test_words_suggest_groups_only_where_labels_agree_within_them() -> None:
    people = ["anna", "ben", "cleo", "dan", "eve", "finn", "gus", "hal"]
    names = [f"{person}_{v}.jpg" for person in people for v in range(5)]
    agreeing = np.repeat(np.arange(8) % 2, 5).astype(np.float32)[:, None]
    found = suggested_groups(table(names, agreeing))
    assert found is not None and found.groups == 8
    assert suggested_groups(table(names)) is None  # labels drawn without regard to people
    assert suggested_groups(table(names, agreeing, attribute="Anna")) is None  # a class, not a person


def test_the_agreement_test_keeps_its_level() -> None:
    generator = np.random.default_rng(1)
    groups = np.repeat(np.arange(8), 5)
    p_values = [
        agreement_p_value(generator.integers(0, 2, (40, 1)).astype(np.float32), groups, seed)
        for seed in range(200)
    ]
    # 200 draws at 5%: 10 expected; more than 19 has a chance below 0.3% (binomial)
    assert sum(p <= 0.05 for p in p_values) <= 19


def test_an_expression_is_searched_in_names_first_then_in_paths() -> None:
    names = ("my_photos/p1_a.jpg", "my_photos/p1_b.jpg", "my_photos/other.jpg")
    assert group_values("^([^_]+)_", names) == ("p1", "p1", "")
    assert group_values(r"^(\w+)/", names) == ("my_photos",) * 3
