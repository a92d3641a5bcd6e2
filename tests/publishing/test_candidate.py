from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aimonk.config import EvaluationConfig
from aimonk.data.split import Split
from aimonk.evaluation.cross_validation import FoldLogits, held_out_scores
from aimonk.evaluation.thresholds import operating_points
from aimonk.publishing.candidate import Candidate


def test_the_threshold_that_is_reported_is_the_one_that_is_served() -> None:
    """With folds there are three for each attribute: one of each fold, and that of the shipped model."""
    random = np.random.default_rng(0)
    targets = (random.random((120, 2)) < 0.3).astype(np.float32)
    logits = (2 * targets + random.normal(size=targets.shape)).astype(np.float32)
    rows = np.arange(120)
    parts = [
        FoldLogits(Split(rows[:0], rows[fold::4], rows[fold::2]), logits[fold::4], logits[fold::2])
        for fold in (0, 1)
    ]
    names = tuple(map(str, rows))
    dataset: Any = SimpleNamespace(
        attributes=("belt", "hat"), names=names, digests=names, groups=rows, targets=targets
    )
    scores, operation = held_out_scores(parts, dataset, EvaluationConfig())
    given: dict[str, Any] = dict.fromkeys(("model", "history", "rows", "split", "evidence"))
    points = Candidate(**given, scores=scores, operation=operation).operating_points
    assert [point.threshold for point in points] == operation.thresholds.tolist()
    judged = operating_points(scores.targets, scores.probabilities, scores.thresholds, scores.attributes)
    assert [point.f1 for point in points] == [point.f1 for point in judged]
    assert [point.threshold for point in judged] != pytest.approx(operation.thresholds.tolist(), rel=1e-3)
