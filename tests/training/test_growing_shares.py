"""Trainings on growing shares: nested, by groups, and only where they are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aimonk.config import Config, EvaluationConfig, LabelsConfig, TrainingConfig
from aimonk.data.split import Split
from aimonk.evaluation.cross_validation import FoldLogits, held_out_scores
from aimonk.training.growing_shares import SHARES, grow, measure_curve, thinned

N = 400
FINETUNE = TrainingConfig(mode="finetune")
GROUPS = np.arange(N) // 2
TARGETS = (np.arange(N) % 4 < 2).astype(np.float32)[:, None]
DATA: Any = SimpleNamespace(
    targets=TARGETS, groups=GROUPS, attributes=("red",), names=tuple(map(str, range(N))), digests=("x",) * N
)


@dataclass
class Learner:
    """Scores better the more images it was fitted on, and notes which."""

    splits: list[Split] = field(default_factory=list)

    def fit(self, split: Split) -> Any:
        self.splits.append(split)
        skill = len(split.train) / 100
        noise = np.random.default_rng(0).normal(size=TARGETS.shape)
        return SimpleNamespace(logits=lambda rows: skill * TARGETS[rows] + noise[rows])


def parts(learner: Learner) -> list[FoldLogits]:
    rows = np.arange(N)
    found = []
    for fold in range(2):
        test = rows[fold == GROUPS % 2]
        rest = np.setdiff1d(rows, test)
        split = Split(rest[:160], rest[160:], test)
        model = learner.fit(split)
        found.append(FoldLogits(split, model.logits(split.validation), model.logits(split.test)))
    learner.splits.clear()
    return found


def test_a_share_takes_whole_groups_and_holds_the_smaller_shares() -> None:
    split = parts(Learner())[0].split
    small, large = (thinned(split, GROUPS, share, [0, 0]) for share in (0.25, 0.65))
    assert set(small.train) <= set(large.train) and set(small.validation) <= set(large.validation)
    kept = np.concatenate([small.train, small.validation])
    assert len(kept) == 50
    assert (np.unique(GROUPS[kept], return_counts=True)[1] == 2).all()
    assert small.test is split.test


def test_the_full_training_is_the_last_point_and_is_not_repeated() -> None:
    learner = Learner()
    full = parts(learner)
    done: list[tuple[int, int]] = []
    points = grow(learner, DATA, full, 0, lambda now, of: done.append((now, of)))  # type: ignore[arg-type]
    # 0.15 of 200 images are 30, fewer than 40
    assert [point.images for point in points] == [50, 80, 130, 200]
    assert len(learner.splits) == 2 * (len(SHARES) - 1)
    assert done[-1] == (6, 6)
    assert points[-1].logits[:2].tolist() == full[0].test[:2].tolist()


@pytest.mark.parametrize(
    ("settings", "measured"),
    [
        (Config(), True),
        (Config(evaluation=EvaluationConfig(learning_curve=False)), False),
        (Config(training=FINETUNE), False),
        (
            Config(
                training=TrainingConfig(mode="finetune"), evaluation=EvaluationConfig(learning_curve=True)
            ),
            True,
        ),
    ],
)
def test_fine_tuning_is_repeated_only_when_asked(settings: Config, measured: bool) -> None:
    class Data(SimpleNamespace):
        def __len__(self) -> int:
            return N

    data: Any = Data(**vars(DATA))
    learner = Learner()
    full = parts(learner)
    scores, _ = held_out_scores(full, data, settings.evaluation)
    curve = measure_curve(learner, data, full, scores, settings)  # type: ignore[arg-type]
    assert (curve is not None) == measured
    assert bool(learner.splits) == measured


def test_filled_labels_are_for_a_frozen_backbone() -> None:
    with pytest.raises(ValueError, match=r"labels\.filled=weigh is for a frozen backbone"):
        Config(labels=LabelsConfig(filled="weigh"), training=TrainingConfig(mode="finetune"))
