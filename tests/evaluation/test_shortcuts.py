from __future__ import annotations

import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation.shortcuts import find_shortcuts, out_of_fold_scores

NAMES = ("belt", "hat")


def labels(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.random.Generator]:
    random = np.random.default_rng(seed)
    return (random.random((count, 2)) < 0.4).astype(np.float32), random


def find(traits: dict[str, np.ndarray], targets: np.ndarray, auc: float = 0.95) -> list[tuple[str, str]]:
    groups = np.arange(len(targets))
    found = find_shortcuts(traits, targets, groups, NAMES, np.full(2, auc))
    return [(one.attribute, one.trait) for one in found]


def test_a_trait_of_nine_positives_in_ten_is_named() -> None:
    targets, random = labels()
    planted = (targets[:, 1] == 1) & (random.random(len(targets)) < 0.9)
    noise = random.normal(0, 1, (len(targets), 5))
    assert find({"border pixels": planted[:, None] + 0.0, "camera": noise}, targets) == [
        ("hat", "border pixels")
    ]


def test_the_sentence_names_attribute_trait_and_both_scores() -> None:
    targets, _ = labels()
    (found,) = find_shortcuts(
        {"folder": targets[:, :1]}, targets, np.arange(len(targets)), NAMES, np.array([0.9, 0.9])
    )
    assert found.sentence.startswith("'belt' can be told from the folder alone: AUC 1.00 [")
    assert "the model's is 0.90" in found.sentence
    assert found.to_json()["auc"]["value"] == 1.0


def test_what_the_model_does_far_better_is_not_named() -> None:
    """A flag on 30% of positives and no negative has an AUC of 0.65: beyond chance, and a third of 0.95."""
    targets, random = labels(1_000)
    weak = ((targets[:, 0] == 1) & (random.random(1_000) < 0.3)).astype(float)[:, None]
    assert find({"folder": weak}, targets) == []
    assert find({"folder": weak}, targets, auc=0.66) == [("belt", "folder")]


def test_noise_is_not_named() -> None:
    for seed in range(20):
        targets, random = labels(150, seed)
        traits = {name: random.normal(0, 1, (150, 8)) for name in ("folder", "camera", "file size")}
        assert find(traits, targets, auc=0.55) == []


def test_groups_are_the_unit() -> None:
    """Five sessions, each with one label and one camera: that is five observations, not 400."""
    targets, _ = labels()
    session = np.arange(400) % 5
    targets[:, 0] = session < 2
    found = find_shortcuts({"camera": np.eye(5)[session]}, targets, session, NAMES, np.full(2, 0.9))
    assert found == ()


def test_scores_come_from_the_other_folds() -> None:
    """A column that is 1 for one image alone says nothing about it."""
    targets, _ = labels(40)
    scores = out_of_fold_scores(np.eye(40), targets, np.arange(40) % 4)
    assert np.abs(scores).max() < 0.5
    targets[:, 0] = MISSING
    assert not out_of_fold_scores(np.eye(40), targets, np.arange(40) % 4)[:, 0].any()


def test_scores_are_those_of_a_ridge_regression_per_attribute() -> None:
    random = np.random.default_rng(3)
    columns, folds = random.normal(2, 3, (60, 4)), np.arange(60) % 3
    targets = (columns[:, :2] + random.normal(0, 3, (60, 2)) > 2).astype(np.float32)
    rest = folds != 0
    x = (columns[rest] - columns[rest].mean(axis=0)) / columns[rest].std(axis=0)
    y = targets[rest] - targets[rest].mean(axis=0)
    weights = np.linalg.solve(x.T @ x + 10 * np.eye(4), x.T @ y)
    expected = (columns[~rest] - columns[rest].mean(axis=0)) / columns[rest].std(axis=0) @ weights
    np.testing.assert_allclose(out_of_fold_scores(columns, targets, folds)[~rest], expected, rtol=1e-5)


def test_p_values_are_corrected_for_every_attribute_tested_or_not() -> None:
    targets, random = labels()
    planted = (targets[:, :1] == 1) & (random.random((400, 1)) < 0.9)
    traits = {"border pixels": planted + random.normal(0, 0.01, (400, 1))}
    many = np.concatenate([targets, (random.random((400, 98)) < 0.4).astype(np.float32)], axis=1)
    of_two, of_hundred = (
        find_shortcuts(traits, labels, np.arange(400), tuple(map(str, range(count))), np.full(count, 0.95))
        for count, labels in ((2, targets), (100, many))
    )
    assert of_two[0].p_value < of_hundred[0].p_value < 1e-6


@pytest.mark.parametrize("traits", [{}, {"folder": np.ones((400, 1))}])
def test_without_traits_that_vary_nothing_is_named(traits: dict[str, np.ndarray]) -> None:
    assert find(traits, labels()[0]) == []
