import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation.folds import double_ranks, fold_rankings, pool_folds
from aimonk.evaluation.metrics import average_precision, roc_auc


def test_double_ranks_average_ties() -> None:
    assert double_ranks(np.array([0.3, 0.1, 0.3, 0.9])).tolist() == [5, 2, 5, 8]


def test_pooling_forgets_where_a_fold_lies() -> None:
    # Fold 1 scores 100 higher throughout; within each fold the positives come first.
    targets = np.array([[1], [0], [0], [1], [0], [0]], dtype=np.float32)
    scores = np.array([[3], [2], [1], [103], [102], [101]], dtype=np.float64)
    folds = np.array([0, 0, 0, 1, 1, 1])
    assert roc_auc(targets, scores)[0] == pytest.approx(6 / 8)
    pooled = pool_folds(targets, scores, folds)
    assert average_precision(targets, pooled)[0] == 1
    assert (np.argsort(-pooled[:, 0]) // 3 != [0] * 6).sum() == 3
    assert sorted(pooled[:3, 0].tolist(), reverse=True) == pooled[:3, 0].tolist()


def test_pooling_alternates_which_fold_comes_first() -> None:
    folds, scores = np.repeat([0, 1], 4), np.tile(np.arange(4.0), 2)[:, None]
    pooled = pool_folds(np.zeros((8, 1)), scores, folds)[:, 0]
    assert np.unique(pooled).size == 8
    assert (pooled[:4] < pooled[4:]).tolist() == [True, False, True, False]


def test_pooling_keeps_ties_within_a_fold_and_leaves_out_missing_labels() -> None:
    targets = np.array([[1], [0], [MISSING], [0]], dtype=np.float32)
    scores = np.array([[5.0], [5.0], [9.0], [1.0]])
    pooled = pool_folds(targets, scores, np.array([0, 0, 0, 0]))[:, 0]
    # Levels 1.5, 1.5 and 0 of 3 known images, half a place up for the only fold.
    np.testing.assert_allclose(pooled, [2 / 3, 2 / 3, np.nan, 1 / 6])


def test_without_folds_scores_stay() -> None:
    scores = np.array([[0.2], [0.4]])
    assert pool_folds(np.ones((2, 1)), scores, None) is scores


def test_auc_counts_pairs_within_folds_only() -> None:
    targets = np.array([[1], [0], [0], [1], [0]], dtype=np.float32)
    scores = np.array([[2], [1], [3], [0], [9]], dtype=np.float64)
    folds = np.array([0, 0, 0, 1, 1])
    # Fold 0: one of two pairs is right; fold 1: its only pair is wrong.
    (ranking,) = fold_rankings(targets, scores, folds)
    assert ranking.both(np.ones((1, 5)))[1][0] == pytest.approx(1 / 3)


def test_no_skill_has_no_bias_in_either_metric() -> None:
    """Pooled raw scores of a fold's training mean fall below 0.5; ours do not."""
    generator = np.random.default_rng(0)
    raw, auc, ap = [], [], []
    for _ in range(300):
        targets = (generator.random((60, 1)) < 0.3).astype(np.float32)
        folds = generator.permutation(np.arange(60) % 5)
        trained = np.array([targets[folds != fold].mean() for fold in range(5)])
        scores = trained[folds][:, None] + 1e-3 * generator.normal(size=(60, 1))
        (ranking,) = fold_rankings(targets, scores, folds)
        value = ranking.both(np.ones((1, 60)))
        raw.append(roc_auc(targets, scores)[0])
        auc.append(value[1][0])
        ap.append(value[0][0] - average_precision(targets, generator.normal(size=(60, 1)))[0])
    assert np.mean(raw) < 0.4
    assert np.mean(auc) == pytest.approx(0.5, abs=0.015)
    assert np.mean(ap) == pytest.approx(0, abs=0.015)
