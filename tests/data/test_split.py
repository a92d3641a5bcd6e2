from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from aimonk.config import SplitConfig
from aimonk.data.image_index import scan
from aimonk.data.label_audit import audit
from aimonk.data.labels import find_labels, read_labels
from aimonk.data.split import (
    Split,
    column_split,
    fold_numbers,
    grouped_split,
    make_split,
    random_split,
    split_table,
    straddling,
)
from aimonk.errors import ConfigError, LabelsError


def labels(count: int, width: int, seed: int) -> np.ndarray:
    """Random labels of prevalence 0.1 to 0.5, a tenth of them unknown."""
    generator = np.random.default_rng(seed)
    targets = (generator.random((count, width)) < np.linspace(0.1, 0.5, width)).astype(np.float32)
    targets[generator.random((count, width)) < 0.1] = -1
    return targets


def sets_of(split: Split) -> list[np.ndarray]:
    return list(split.parts().values())


@pytest.mark.parametrize(("count", "test", "seed"), [(972, 0.2, 42), (10, 0.25, 0), (101, 0.33, 7)])
def test_random_is_scikit_learns_split(count: int, test: float, seed: int) -> None:
    split = random_split(count, SplitConfig(kind="random", test=test, validation=0.0, seed=seed))
    train, held_out = train_test_split(np.arange(count), test_size=test, random_state=seed)
    np.testing.assert_array_equal(split.train, np.sort(train))
    np.testing.assert_array_equal(split.test, np.sort(held_out))
    assert len(split.validation) == 0


def test_the_seeds_split_has_777_and_195_and_validation_comes_from_the_777() -> None:
    whole = random_split(972, SplitConfig(kind="random", validation=0.0))
    assert (len(whole.train), len(whole.test)) == (777, 195)
    split = random_split(972, SplitConfig(kind="random", validation=0.1))
    assert [len(part) for part in sets_of(split)] == [699, 78, 195]
    np.testing.assert_array_equal(split.test, whole.test)
    train, validation = train_test_split(
        train_test_split(np.arange(972), test_size=0.2, random_state=42)[0], test_size=0.1, random_state=42
    )
    np.testing.assert_array_equal(split.train, np.sort(train))
    np.testing.assert_array_equal(split.validation, np.sort(validation))


@settings(deadline=None, max_examples=50)
@given(
    count=st.integers(12, 120),
    copies=st.integers(1, 4),
    seed=st.integers(0, 2**31),
    validation=st.sampled_from([0.0, 0.15, 0.3]),
)
def test_groups_stay_together_and_every_row_is_in_one_set(
    count: int, copies: int, seed: int, validation: float
) -> None:
    groups = np.random.default_rng(seed).integers(0, max(6, count // copies), count)
    targets = labels(count, 3, seed)
    config = SplitConfig(validation=validation, seed=seed)
    try:
        split = grouped_split(targets, groups, config)
    except LabelsError as error:
        assert "too few" in str(error) and len(np.unique(groups)) < 20
        return
    assert np.concatenate(sets_of(split)).tolist() != [] and straddling(groups, *sets_of(split)) == 0
    assert sorted(np.concatenate(sets_of(split)).tolist()) == list(range(count))
    for rows in sets_of(split):
        assert rows.dtype == np.int64
        assert rows.tolist() == sorted(rows.tolist())
    assert (len(split.validation) == 0) == (validation == 0.0)
    again = grouped_split(targets, groups, config)
    for one, other in zip(sets_of(split), sets_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_is_another_split() -> None:
    targets, groups = labels(100, 3, 0), np.arange(100)
    one, other = (grouped_split(targets, groups, SplitConfig(seed=seed)) for seed in (0, 1))
    assert one.test.tolist() != other.test.tolist()


def test_sets_have_the_shares_asked_for() -> None:
    split = grouped_split(labels(1000, 4, 0), np.arange(1000), SplitConfig(test=0.2, validation=0.15))
    # 0.8 * 0.85, 0.8 * 0.15 and 0.2 of 1000, each within 1%
    np.testing.assert_allclose([len(part) for part in sets_of(split)], [680, 120, 200], atol=10)


@pytest.mark.parametrize("name", ["aimonk", "clothing"])
def test_over_100_seeds_no_pair_straddles_and_rare_attributes_reach_every_set(
    shared: Path, tmp_path: Path, name: str
) -> None:
    data = shared / "data" / name / "images"
    table = read_labels(find_labels(data))
    found = audit(table, scan(data, table.images, tmp_path), near_duplicates=12)
    targets = table.targets[found.usable]
    positives = (targets == 1).sum(axis=0)
    assert (positives >= 20).all()
    for seed in range(100):
        parts = sets_of(grouped_split(targets, found.groups, SplitConfig(seed=seed)))
        assert straddling(found.groups, *parts) == 0
        for rows in parts:
            expected = positives * len(rows) / len(targets)
            assert (
                np.abs((targets[rows] == 1).sum(axis=0) - expected) <= np.maximum(2, 0.3 * expected)
            ).all()
    folds = fold_numbers(targets, found.groups, 5, seed=0)
    assert straddling(found.groups, *(np.flatnonzero(folds == fold) for fold in range(5))) == 0
    assert (
        min((targets[folds == fold] == 1).sum(axis=0).min() for fold in range(5)) >= positives.min() // 5 - 1
    )


def test_twenty_positives_among_correlated_attributes_reach_every_set() -> None:
    for seed in range(100):
        generator = np.random.default_rng(seed)
        scores = generator.normal(size=(300, 1)) + 0.7 * generator.normal(size=(300, 8))
        targets = np.zeros((300, 8), dtype=np.float32)
        np.put_along_axis(targets, np.argsort(scores, axis=0)[:20], 1, axis=0)
        split = grouped_split(targets, generator.integers(0, 250, 300), SplitConfig(seed=seed))
        assert min((targets[rows] == 1).sum(axis=0).min() for rows in sets_of(split)) >= 1


def test_the_labels_files_own_split() -> None:
    values = ("train", "test", "validation", "train", "test")
    split = column_split(values, np.array([0, 1, 2, 0, 4]))
    assert [part.tolist() for part in sets_of(split)] == [[0, 3], [2], [1, 4]]
    assert len(column_split(("train", "test"), np.arange(2)).validation) == 0


def test_a_column_that_parts_twins_names_them() -> None:
    values, groups = ("train", "test", "test"), np.array([5, 6, 5])
    with pytest.raises(LabelsError, match="'a.jpg' into train and 'c.jpg' into test"):
        column_split(values, groups, ("a.jpg", "b.jpg", "c.jpg"))
    with pytest.raises(LabelsError, match="row 1 into train and row 3 into test"):
        column_split(values, groups)


@pytest.mark.parametrize("lacking", ["train", "test"])
def test_a_column_must_fill_train_and_test(lacking: str) -> None:
    values = [name for name in ("train", "validation", "test") if name != lacking]
    with pytest.raises(LabelsError, match=f"no usable image into {lacking}"):
        column_split(values, np.arange(2))


def test_the_kind_decides() -> None:
    targets, groups = labels(60, 3, 0), np.arange(60)
    column = ("train",) * 40 + ("test",) * 20
    plain = SplitConfig(kind="random")
    assert make_split(targets, groups, column, plain).test.tolist() == random_split(60, plain).test.tolist()
    grouped = SplitConfig(kind="grouped")
    expected = grouped_split(targets, groups, grouped).test.tolist()
    assert make_split(targets, groups, column, grouped).test.tolist() == expected
    assert make_split(targets, groups, column, SplitConfig(kind="column")).test.tolist() == list(
        range(40, 60)
    )
    with pytest.raises(LabelsError, match="no column of sets"):
        make_split(targets, groups, None, SplitConfig(kind="column"))


def test_counts_that_leave_a_set_empty() -> None:
    with pytest.raises(LabelsError, match="2 usable images are too few"):
        random_split(2, SplitConfig())
    with pytest.raises(LabelsError, match="too few to leave one for the validation set"):
        grouped_split(labels(9, 2, 0), np.zeros(9, dtype=int), SplitConfig(test=0.01))


def test_folds_are_equal_grouped_and_repeatable() -> None:
    groups = np.repeat(np.arange(50), 2)
    targets = labels(100, 3, 1)
    folds = fold_numbers(targets, groups, 5, seed=3)
    assert folds.dtype == np.int64
    assert np.bincount(folds).tolist() == pytest.approx([20] * 5, abs=4)
    np.testing.assert_array_equal(folds[::2], folds[1::2])
    np.testing.assert_array_equal(folds, fold_numbers(targets, groups, 5, seed=3))
    for wrong in (1, 51):
        with pytest.raises(ConfigError, match="2 to 50 folds"):
            fold_numbers(targets, groups, wrong, seed=3)


def test_straddling_counts_groups_not_rows() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 3])
    assert straddling(groups, np.array([0, 1, 3]), np.array([2, 4]), np.array([5, 6])) == 2
    assert straddling(groups, np.array([0, 1, 2]), np.array([3, 4]), np.array([], dtype=int)) == 0
    assert straddling(groups) == 0


def test_a_split_is_saved_by_name_and_digest() -> None:
    split = Split(train=np.array([1, 3]), validation=np.array([], dtype=np.int64), test=np.array([0]))
    saved = split_table(("a", "b", "c", "d"), ("0a", "0b", "0c", "0d"), split)
    assert saved == [("a", "0a", "test"), ("b", "0b", "train"), ("d", "0d", "train")]
