import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.data.labels import MISSING
from aimonk.evaluation import permutation
from aimonk.evaluation.permutation import Units, collapse, holm, permutation_p_values


def units(targets, scores, folds=None):
    return Units(np.asarray(targets, np.float32), np.asarray(scores, np.float64), folds)


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.5 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.5; never falling.
    corrected = holm(np.array([0.03, 0.01, 0.5, 0.02]))
    np.testing.assert_allclose(corrected, [0.06, 0.04, 0.5, 0.06])


def test_holm_stops_at_one_and_leaves_out_the_untested():
    np.testing.assert_allclose(holm(np.array([0.4, np.nan, 0.9, 0.6])), [1, np.nan, 1, 1])
    assert holm(np.array([])).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_value_and_bonferroni(values):
    raw = np.array(values)
    corrected = holm(raw)
    assert (corrected >= raw).all()
    assert (corrected <= np.minimum(1, raw.size * raw) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0).all()


def test_p_value_of_all_arrangements():
    """3 positives of 8: the share of the 56 arrangements with as high a rank sum, ties averaged."""
    scores = np.array([0.1, 0.2, 0.2, 0.4, 0.5, 0.6, 0.6, 0.8])
    ranks = np.array([1, 2.5, 2.5, 4, 5, 6.5, 6.5, 8])
    positives = [3, 5, 7]
    sums = [ranks[list(chosen)].sum() for chosen in itertools.combinations(range(8), 3)]
    exact = np.mean(np.array(sums) >= ranks[positives].sum())
    targets = np.zeros((8, 1))
    targets[positives] = 1
    p, observed = permutation_p_values(units(targets, scores[:, None]), 20_000, 0)
    assert p[0] == pytest.approx(exact, abs=0.01)
    # Twice (18.5 less the mean 3 * 9 / 2).
    assert observed[0] == 10
    # The negatives are the larger class here and the smaller one below: the same test, mirrored.
    mirrored, minus = permutation_p_values(units(1 - targets, -scores[:, None]), 20_000, 1)
    assert mirrored[0] == pytest.approx(exact, abs=0.01)
    assert minus[0] == 10


def test_missing_labels_are_not_exchanged():
    scores = np.array([0.1, 0.2, 0.2, 0.4, 0.5, 0.6, 0.6, 0.8])
    targets = np.zeros(8)
    targets[[3, 5, 7]] = 1
    # Unknown cells with extreme scores between the known ones.
    wide = np.full((24, 1), MISSING)
    wide[::3, 0] = targets
    wide_scores = np.linspace(-9, 9, 24)[:, None]
    wide_scores[::3, 0] = scores
    p, observed = permutation_p_values(units(wide, wide_scores), 20_000, 0)
    plain, _ = permutation_p_values(units(targets[:, None], scores[:, None]), 20_000, 1)
    assert observed[0] == 10
    assert p[0] == pytest.approx(plain[0], abs=0.01)


def test_smallest_p_value_and_no_association():
    targets = (np.arange(60) < 20).astype(float)[:, None]
    scores = np.hstack([targets, np.zeros_like(targets), -targets])
    p, observed = permutation_p_values(units(np.repeat(targets, 3, axis=1), scores), 999, 0)
    assert p.tolist() == [1 / 1000, 1, 1]
    # 20 * 40 pairs, all right: twice half their number; all tied: none; all wrong.
    assert observed.tolist() == [800, 0, -800]


def test_without_both_classes_nothing_is_observed():
    p, observed = permutation_p_values(units([[1, MISSING]] * 5, np.ones((5, 2))), 100, 0)
    assert p.tolist() == [1, 1]
    assert observed.tolist() == [0, 0]


def test_folds_are_ranked_each_for_itself():
    # Fold 1 lies 100 above fold 0 and has no positive: within fold 0 the ranking is perfect.
    targets = np.array([[1], [1], [0], [0], [0], [0]])
    scores = np.array([[4], [3], [2], [1], [101], [102]])
    _, observed = permutation_p_values(units(targets, scores, np.array([0, 0, 0, 0, 1, 1])), 100, 0)
    # Twice (ranks 3 + 4 less the mean 5).
    assert observed[0] == 4


def test_copies_become_one_unit():
    targets = np.array([[1, 1, 0], [1, 0, MISSING], [0, MISSING, MISSING], [1, 1, 1]], np.float32)
    scores = np.array([[0.2, 0.3, 0.5], [0.4, 0.7, 0.9], [0.6, 0.1, 0.0], [0.2, 0.2, 0.2]])
    collapsed = collapse(targets, scores, np.array([8, 8, 2, 8]), np.array([1, 1, 0, 1]))
    assert collapsed.folds is not None and collapsed.folds.tolist() == [0, 1]
    # Group 2 is row 2; group 8 agrees on the first attribute and contradicts itself on the others.
    assert collapsed.targets.tolist() == [[0, MISSING, MISSING], [1, MISSING, MISSING]]
    np.testing.assert_allclose(collapsed.scores[1], [0.8 / 3, 0.4, 0.35])
    assert collapsed.positives.tolist() == [1, 0, 0]
    assert collapsed.negatives.tolist() == [1, 0, 0]


def test_equal_scores_of_copies_stay_equal_to_others():
    scores = np.array([[0.1], [0.1], [0.1], [0.1]])
    collapsed = collapse(np.ones((4, 1), np.float32), scores, np.array([0, 0, 0, 1]), None)
    assert collapsed.scores[0, 0] == collapsed.scores[1, 0]


def test_a_group_in_two_folds_is_an_error():
    with pytest.raises(ValueError, match="tear duplicate groups apart"):
        collapse(np.ones((2, 1)), np.ones((2, 1)), np.array([0, 0]), np.array([0, 1]))


def test_null_p_values_are_uniform_on_one_test_set():
    generator = np.random.default_rng(0)
    targets = (generator.random((80, 1500)) < generator.uniform(0.2, 0.5, 1500)).astype(np.float32)
    targets[generator.random(targets.shape) < 0.1] = MISSING
    p, _ = permutation_p_values(units(targets, generator.normal(size=targets.shape)), 400, 0)
    for level in (0.05, 0.2, 0.5, 0.8):
        error = math.sqrt(level * (1 - level) / 1500)
        assert np.mean(p <= level) == pytest.approx(level, abs=3.5 * error)


Learner = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def ridge(train: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    penalised = train.T @ train + 0.1 * len(train) * np.eye(train.shape[1])
    return test @ np.linalg.solve(penalised, train.T @ (targets - targets.mean(axis=0)))


def logistic(train: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    weights = np.zeros((train.shape[1], targets.shape[1]))
    offset = np.zeros(targets.shape[1])
    for _ in range(200):
        error = 1 / (1 + np.exp(-(train @ weights + offset))) - targets
        weights -= train.T @ error / len(train)
        offset -= error.mean(axis=0)
    return test @ weights + offset


def out_of_fold(learner: Learner, attributes: int, seed: int) -> Units:
    """Random features, labels that have nothing to do with them, and what 5 folds make of it."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(200, 40)) / 2
    targets = (generator.random((200, attributes)) < 0.3).astype(np.float32)
    folds = generator.permutation(np.arange(200) % 5)
    scores = np.empty(targets.shape)
    for fold in range(5):
        train = folds != fold
        scores[~train] = learner(features[train], targets[train], features[~train])
    return Units(targets, scores, folds)


@pytest.mark.slow
@pytest.mark.parametrize("learner", [ridge, logistic])
def test_false_alarms_of_out_of_fold_scores(learner, monkeypatch):
    """The derivation in permutation.py: permuting alone claims too much, stretched by sqrt(2) it does not."""
    raw: dict[float, list[np.ndarray]] = {1.0: [], math.sqrt(2): []}
    for seed in range(60):
        drawn = out_of_fold(learner, 20, seed)
        for stretch, values in raw.items():
            monkeypatch.setattr(permutation, "FOLD_STRETCH", stretch)
            values.append(permutation_p_values(drawn, 1000, seed)[0])
    naive, stretched = np.array(raw[1.0]), np.array(raw[math.sqrt(2)])
    # 1,200 tests: a share of 0.05 has standard error 0.006. Features are shared, hence 0.01.
    assert np.mean(naive <= 0.05) > 0.09
    assert np.mean(stretched <= 0.05) == pytest.approx(0.05, abs=0.02)
    assert np.mean(stretched <= 0.5) == pytest.approx(0.5, abs=0.06)
    # Family-wise, 60 families of 20: 5% would be 3 (more than 7 in 2% of such draws).
    assert sum(holm(family).min() < 0.05 for family in stretched) <= 7
    assert sum(holm(family).min() < 0.05 for family in naive) >= 10


def test_stretched_null_is_the_one_in_use():
    assert pytest.approx(math.sqrt(2)) == permutation.FOLD_STRETCH
