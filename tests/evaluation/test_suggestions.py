"""Which images are chosen to be labeled."""

from __future__ import annotations

import numpy as np
import pytest

from aimonk.evaluation.suggestions import (
    STRATEGIES,
    Pool,
    mean_entropy,
    mutual_information,
    rarity,
    suggest_rows,
)

FEATURES = np.array([[0.0], [0.1], [5.0], [10.0]], np.float32)


def pool(**changes: object) -> Pool:
    probabilities = np.array([[0.5, 0.5], [0.9, 0.5], [0.99, 0.99], [0.01, 0.9]])
    given = {
        "probabilities": probabilities,
        "missing": np.ones((4, 2), bool),
        "positives": np.array([99, 0]),
        "features": FEATURES,
        "labeled": np.zeros((0, 1), np.float32),
        "committee": np.stack([probabilities, probabilities]),
    }
    return Pool(**{**given, **changes})  # type: ignore[arg-type]


def test_the_least_sure_come_first() -> None:
    assert suggest_rows(pool(), 4, "uncertain").tolist() == [0, 1, 3, 2]
    assert mean_entropy(pool())[0] == 1


def test_a_label_that_is_known_is_not_uncertain() -> None:
    missing = np.array([[False, False], [True, True], [True, True], [True, True]])
    assert suggest_rows(pool(missing=missing), 4, "uncertain").tolist() == [1, 3, 2, 0]


def test_positives_of_a_rare_attribute_count_for_more() -> None:
    assert rarity(pool()).round(4).tolist() == [0.505, 0.509, 0.9999, 0.9001]
    assert suggest_rows(pool(), 2, "rare").tolist() == [2, 3]


def test_a_committee_that_agrees_has_nothing_to_learn() -> None:
    assert mutual_information(pool()).round(12).tolist() == [0, 0, 0, 0]
    # one member says 0, the other 1: one bit about one of two attributes
    divided = np.array([[[0.0, 0.5]], [[1.0, 0.5]]])
    alone = pool(
        probabilities=divided.mean(axis=0),
        missing=np.ones((1, 2), bool),
        features=FEATURES[:1],
        committee=divided,
    )
    assert mutual_information(alone).tolist() == [0.5]
    with pytest.raises(ValueError, match="needs a committee"):
        suggest_rows(pool(committee=None), 1, "disagreement")


def test_diverse_images_are_far_from_labeled_ones() -> None:
    near = pool(labeled=np.array([[0.0]], np.float32))
    firsts = [int(suggest_rows(near, 1, "diverse", seed)[0]) for seed in range(200)]
    # squared distances 0, 0.01, 25 and 100
    assert 0 not in firsts
    assert 0.7 < firsts.count(3) / 200 < 0.9


def test_copies_of_what_is_labeled_come_last() -> None:
    same = pool(features=np.zeros((4, 1), np.float32), labeled=np.zeros((1, 1), np.float32))
    assert sorted(suggest_rows(same, 4, "diverse").tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_image_is_chosen_once_and_again_with_the_same_seed(strategy: str) -> None:
    chosen = suggest_rows(pool(), 3, strategy, seed=5)
    assert len(set(chosen.tolist())) == 3
    assert suggest_rows(pool(), 3, strategy, seed=5).tolist() == chosen.tolist()
    assert len(suggest_rows(pool(), 99, strategy)) == 4
