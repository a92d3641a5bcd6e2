import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike

from aimonk.data.labels import MISSING
from aimonk.evaluation import association
from aimonk.evaluation.association import associate
from aimonk.evaluation.multiple_testing import holm
from aimonk.evaluation.units import collapse


def p_values_of(
    targets: ArrayLike,
    scores: ArrayLike,
    groups: np.ndarray | None = None,
    folds: np.ndarray | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """p-values and statistics of all attributes."""
    targets, scores = np.asarray(targets, np.float32), np.asarray(scores, np.float64)
    groups = np.arange(len(targets)) if groups is None else groups
    units = collapse(targets, scores, groups, folds)
    tested = np.ones(targets.shape[1], dtype=bool)
    found = associate(units, targets, scores, groups, folds, tested, permutations, seed)
    return found.p_values, found.statistics


def test_what_is_not_tested_is_nan() -> None:
    targets = np.array([[1, 1], [0, 0]] * 10, np.float32)
    units = collapse(targets, targets, np.arange(20), None)
    found = associate(units, targets, targets, np.arange(20), None, np.array([True, False]), 99, 0)
    assert np.isfinite(found.p_values).tolist() == [True, False]


def test_missing_labels_are_not_exchanged() -> None:
    generator = np.random.default_rng(0)
    scores, targets = generator.normal(size=60), (np.arange(60) < 15).astype(float)
    # Unknown cells with extreme scores between the known ones.
    wide = np.full((180, 1), MISSING)
    wide[::3, 0] = targets
    wide_scores = np.linspace(-9, 9, 180)[:, None]
    wide_scores[::3, 0] = scores
    p, statistic = p_values_of(wide, wide_scores)
    plain, same = p_values_of(targets[:, None], scores[:, None])
    assert (p[0], statistic[0]) == (pytest.approx(plain[0]), same[0])


def test_the_other_direction_is_no_evidence() -> None:
    targets = (np.arange(60) < 20).astype(float)[:, None]
    noise = np.random.default_rng(0).normal(size=(60, 1)) / 100
    p, statistics = p_values_of(
        np.repeat(targets, 3, axis=1), np.hstack([targets + noise, noise, noise - targets])
    )
    assert p[0] < 1e-10 and 0.02 < p[1] < 0.98 and p[2] == pytest.approx(1)
    # 20 * 40 pairs, all right and all wrong: twice half their number.
    assert (statistics[0], statistics[2]) == (800, -800)


def test_many_ties_are_permuted() -> None:
    targets = (np.arange(60) < 20).astype(float)[:, None]
    p, statistics = p_values_of(np.repeat(targets, 3, axis=1), np.hstack([targets, 0 * targets, -targets]))
    assert p.tolist() == [1 / 1000, 1, 1]
    assert statistics.tolist() == [800, 0, -800]


def test_without_both_classes_nothing_is_observed() -> None:
    p, observed = p_values_of([[1, MISSING]] * 5, np.ones((5, 2)))
    assert p.tolist() == [1, 1]
    assert observed.tolist() == [0, 0]


def test_null_p_values_are_uniform_on_one_test_set() -> None:
    generator = np.random.default_rng(0)
    targets = (generator.random((80, 1500)) < generator.uniform(0.2, 0.5, 1500)).astype(np.float32)
    targets[generator.random(targets.shape) < 0.1] = MISSING
    p, _ = p_values_of(targets, generator.normal(size=targets.shape))
    for level in (0.05, 0.2, 0.5, 0.8):
        error = math.sqrt(level * (1 - level) / 1500)
        assert np.mean(p <= level) == pytest.approx(level, abs=3.5 * error)


def test_null_p_values_are_safe_where_labels_vary_within_groups() -> None:
    """30 groups of 5; scores and labels both depend on the group, so images are not independent."""
    generator = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 5)

    def drawn() -> np.ndarray:
        return generator.normal(size=(30, 1500))[groups] + generator.normal(size=(150, 1500))

    targets, scores = (drawn() > 0.5).astype(np.float32), drawn()
    grouped, _ = p_values_of(targets, scores, groups)
    ignored, _ = p_values_of(targets, scores)
    # 1,500 tests: a share of 0.05 has standard error 0.006, one of 0.01 has 0.0026.
    assert 0.03 < np.mean(grouped <= 0.05) < 0.065
    assert np.mean(grouped <= 0.01) < 0.018
    assert np.mean(ignored <= 0.05) > 0.09


def test_signal_is_found_where_labels_vary_within_groups() -> None:
    generator = np.random.default_rng(2)
    groups = np.repeat(np.arange(30), 5)
    targets = (generator.random((150, 1)) < 0.4).astype(np.float32)
    p, statistic = p_values_of(targets, generator.normal(size=(150, 1)) + targets, groups)
    assert p[0] < 1e-3 and statistic[0] > 0
    p, statistic = p_values_of(targets, generator.normal(size=(150, 1)) - targets, groups)
    assert p[0] > 0.999 and statistic[0] < 0


Learner = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def ridge(train: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    penalized = train.T @ train + 0.1 * len(train) * np.eye(train.shape[1])
    return test @ np.linalg.solve(penalized, train.T @ (targets - targets.mean(axis=0)))


def logistic(train: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    weights = np.zeros((train.shape[1], targets.shape[1]))
    offset = np.zeros(targets.shape[1])
    for _ in range(200):
        error = 1 / (1 + np.exp(-(train @ weights + offset))) - targets
        weights -= train.T @ error / len(train)
        offset -= error.mean(axis=0)
    return test @ weights + offset


def out_of_fold(learner: Learner, attributes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random features, labels that have nothing to do with them, and what 5 folds make of it."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(200, 40)) / 2
    targets = (generator.random((200, attributes)) < 0.3).astype(np.float32)
    folds = generator.permutation(np.arange(200) % 5)
    scores = np.empty(targets.shape)
    for fold in range(5):
        train = folds != fold
        scores[~train] = learner(features[train], targets[train], features[~train])
    return targets, scores, folds


@pytest.mark.slow
@pytest.mark.parametrize("learner", [ridge, logistic])
def test_false_alarms_of_out_of_fold_scores(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The derivation in association.py: permuting alone claims too much, stretched by sqrt(2) it does not."""
    raw: dict[float, list[np.ndarray]] = {1.0: [], math.sqrt(2): []}
    for seed in range(60):
        targets, scores, folds = out_of_fold(learner, 20, seed)
        for stretch, values in raw.items():
            monkeypatch.setattr(association, "FOLD_STRETCH", stretch)
            values.append(p_values_of(targets, scores, folds=folds)[0])
    naive, stretched = np.array(raw[1.0]), np.array(raw[math.sqrt(2)])
    # 1,200 tests: a share of 0.05 has standard error 0.006. Features are shared, hence 0.01.
    assert np.mean(naive <= 0.05) > 0.09
    assert np.mean(stretched <= 0.05) == pytest.approx(0.05, abs=0.02)
    assert np.mean(stretched <= 0.5) == pytest.approx(0.5, abs=0.06)
    # Family-wise, 60 families of 20: 5% would be 3 (more than 7 in 2% of such draws).
    assert sum(holm(family).min() < 0.05 for family in stretched) <= 7
    assert sum(holm(family).min() < 0.05 for family in naive) >= 10


def test_stretched_null_is_the_one_in_use() -> None:
    assert pytest.approx(math.sqrt(2)) == association.FOLD_STRETCH
