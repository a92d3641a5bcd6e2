import numpy as np

from aimonk.evaluation.bootstrap import resample_groups, resampled_metrics
from aimonk.evaluation.folds import fold_rankings


def draw(groups: np.ndarray, folds: np.ndarray | None, resamples: int, seed: int = 0) -> np.ndarray:
    parts = list(resample_groups(groups, folds, resamples, seed))
    assert [rows.start for rows, _ in parts] == [0, *(rows.stop for rows, _ in parts[:-1])]
    return np.concatenate([weights for _, weights in parts])


def test_copies_are_drawn_together() -> None:
    groups = np.array([7, 3, 7, 5, 3])
    weights = draw(groups, None, 50)
    assert weights.shape == (50, 5)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)


def test_every_fold_keeps_its_number_of_groups() -> None:
    folds = np.array([0, 0, 0, 1, 1])
    weights = draw(np.arange(5), folds, 40)
    np.testing.assert_array_equal(weights[:, :3].sum(axis=1), 3)
    np.testing.assert_array_equal(weights[:, 3:].sum(axis=1), 2)


def test_draws_are_multinomial() -> None:
    weights = draw(np.arange(10), None, 20_000)
    assert abs(weights.mean() - 1) < 1e-6
    # Each count is binomial with n = 10, p = 0.1: variance 0.9.
    np.testing.assert_allclose(weights.var(axis=0), 0.9, rtol=0.05)


def test_same_seed_same_draws() -> None:
    groups = np.arange(30)
    np.testing.assert_array_equal(draw(groups, None, 9, seed=4), draw(groups, None, 9, seed=4))
    assert (draw(groups, None, 9, seed=4) != draw(groups, None, 9, seed=5)).any()


def test_large_sets_come_in_parts() -> None:
    assert len(list(resample_groups(np.arange(100_000), None, 6, 0))) == 3


def test_resampled_metrics_spread_as_theory_says() -> None:
    """Without skill the AUC has variance (P + Q + 1) / (12 P Q), Mann and Whitney (1947)."""
    generator = np.random.default_rng(1)
    targets = (np.arange(400) < 100).astype(np.float32)[:, None]
    scores = generator.normal(size=(400, 1))
    _, auc = resampled_metrics(fold_rankings(targets, scores, None), np.arange(400), None, 2000, 0)
    assert auc.shape == (2000, 1)
    np.testing.assert_allclose(auc.std(), np.sqrt(401 / (12 * 100 * 300)), rtol=0.12)
