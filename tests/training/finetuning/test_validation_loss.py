from __future__ import annotations

import numpy as np

from aimonk.training.finetuning.validation_loss import mean_average_precision


def test_mean_average_precision_by_hand() -> None:
    """First attribute: positives at ranks 1 and 3 of 3 known, (1 + 2/3) / 2. The second has no negative."""
    targets = np.array([[1, 1], [0, 1], [1, 1], [-1, -1]], np.float32)
    scores = np.array([[9.0, 1], [5, 2], [1, 3], [99, 4]])
    np.testing.assert_allclose(mean_average_precision(targets, scores), 5 / 6)


def test_without_an_attribute_that_can_be_ranked() -> None:
    assert mean_average_precision(np.ones((3, 2), np.float32), np.zeros((3, 2))) == 0.0


def test_scores_of_a_training_that_diverged() -> None:
    """All alike, so the average precision is the prevalence."""
    assert mean_average_precision(np.array([[1], [0], [0], [0]], np.float32), np.full((4, 1), np.nan)) == 0.25
