import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimonk.data.labels import MISSING
from aimonk.evaluation.folds import fold_rankings, pool_folds
from aimonk.evaluation.influence import influence_error, linearize_ap, linearize_auc


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_influences_are_derivatives_by_the_weights(seed: int, folds: int) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.choice([0, 1, MISSING], (30, 2)).astype(np.float32)
    scores = generator.integers(-4, 5, (30, 2)).astype(float)
    numbers = np.arange(30) % folds if folds > 1 else None
    ap = linearize_ap(targets, pool_folds(targets, scores, numbers))
    auc = linearize_auc(targets, scores, numbers)
    step = 1e-5
    weights = np.vstack([np.ones(30), 1 + step * np.eye(30)])
    for j, ranking in enumerate(fold_rankings(targets, scores, numbers)):
        for linear, drawn in zip((ap, auc), ranking.both(weights), strict=True):
            if np.isfinite(linear.values[j]):
                assert linear.values[j] == pytest.approx(drawn[0])
                np.testing.assert_allclose(linear.influence[:, j], (drawn[1:] - drawn[0]) / step, atol=1e-4)
                assert linear.influence[:, j].sum() == pytest.approx(0, abs=1e-12)


def test_without_both_classes_there_is_no_value() -> None:
    targets = np.array([[1, MISSING], [1, MISSING]], np.float32)
    for linear in (linearize_ap(targets, targets), linearize_auc(targets, targets, None)):
        assert np.isnan(linear.values).all() and not linear.influence.any()


def test_error_by_hand() -> None:
    influence = np.array([[1.0], [2.0], [-4.0], [1.0]])
    # Images: squares 1 + 4 + 16 + 1. Groups (1, 2), (-4), (1): 3, -4, 1. Both have mean 0.
    assert influence_error(influence, np.arange(4), None)[0] == pytest.approx(np.sqrt(22))
    groups = np.array([5, 5, 2, 9])
    assert influence_error(influence, groups, None)[0] == pytest.approx(np.sqrt(26))
    # Fold 0 holds 3 and -4, mean -1/2; fold 1 holds only 1, which never varies.
    assert influence_error(influence, groups, np.array([0, 0, 0, 1]))[0] == pytest.approx(np.sqrt(2 * 3.5**2))


def test_auc_error_without_skill_as_theory_says() -> None:
    """Mann and Whitney (1947): variance (P + Q + 1) / (12 P Q)."""
    generator = np.random.default_rng(0)
    targets = (np.arange(3000) < 900).astype(np.float32)[:, None]
    linear = linearize_auc(targets, generator.normal(size=(3000, 1)), None)
    error = influence_error(linear.influence, np.arange(3000), None)[0]
    assert error == pytest.approx(np.sqrt(3001 / (12 * 900 * 2100)), rel=0.03)
