"""The gate: what passes, what cannot be compared, and a champion that changes meanwhile."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from aimonk.config import Config, EvaluationConfig
from aimonk.evaluation.comparison import Decision
from aimonk.evaluation.held_out import HeldOutScores, evidence_of
from aimonk.publishing import gate
from aimonk.publishing.gate import Judgment, judge, promote
from aimonk.serving.log_package import log_package
from aimonk.tracking.predictions_table import log_predictions
from aimonk.tracking.registry import Version, champion, find_version, record_decision, register
from aimonk.tracking.tracked_run import tracked_run

CONFIG = Config(evaluation=EvaluationConfig(folds=0, permutations=500, resamples=100))
N = 120
TARGETS = (np.arange(N) % 2).astype(np.float32)[:, None]


def scores(signal: float, attribute: str = "collar", prefix: str = "image", seed: int = 0) -> HeldOutScores:
    """Of one attribute, whose positives lie `signal` standard deviations higher."""
    logits = np.random.default_rng(seed).normal(size=(N, 1)) + signal * TARGETS
    return HeldOutScores(
        attributes=(attribute,),
        images=tuple(f"{prefix}{row}.jpg" for row in range(N)),
        digests=tuple(f"{prefix}{row}" for row in range(N)),
        groups=np.arange(N),
        folds=np.zeros(N, np.int64),
        targets=TARGETS,
        logits=logits,
        probabilities=1 / (1 + np.exp(-logits)),
        thresholds=np.full((N, 1), 0.5),
    )


Publish = Callable[[HeldOutScores], Version]


@pytest.fixture
def publish(store: MlflowClient, package: Path) -> Publish:
    """Registers a version whose run keeps these scores."""

    def published(held_out: HeldOutScores, keep: bool = True) -> Version:
        with tracked_run("dresses") as run:
            if keep:
                log_predictions(run, held_out)
            model = log_package(package)
        return register("dresses", model, "")

    return published


def judged(held_out: HeldOutScores, version: Version | None = None) -> Judgment:
    return judge("dresses", held_out, evidence_of(held_out, CONFIG), CONFIG, version)


def carried_out(version: Version, judgment: Judgment, held_out: HeldOutScores) -> Judgment:
    return promote(version, judgment, held_out, evidence_of(held_out, CONFIG), CONFIG)


def test_the_first_that_learned_something_passes_and_no_other(store: MlflowClient) -> None:
    assert judged(scores(2.0)).decision.promote
    assert not judged(scores(0.0)).decision.promote
    assert "no evidence" in judged(scores(0.0)).decision.reason


def test_a_challenger_meets_the_champion_on_the_same_images(publish: Publish) -> None:
    best = publish(scores(3.0))
    record_decision(best, True, "")
    worse = judged(scores(0.7, seed=1))
    assert worse.champion == find_version("dresses", "1")
    assert worse.comparison is not None
    assert worse.comparison.images == N
    assert worse.decision.reason.startswith("Not promoted: it is worse than the champion")
    assert judged(scores(3.0)).decision.promote
    again = judged(scores(0.7), champion("dresses"))  # the champion itself is compared with nobody
    assert again.decision == Decision(True, "Promoted: models:/dresses/1 is the champion already.")
    assert again.comparison is None


@pytest.mark.parametrize(
    ("held_out", "why"),
    [
        (scores(2.0, attribute="belt"), "it has other attributes"),
        (scores(2.0, prefix="other"), "no image was held out by both versions"),
    ],
)
def test_a_champion_that_cannot_be_compared_stays(
    publish: Publish, held_out: HeldOutScores, why: str
) -> None:
    record_decision(publish(scores(2.0)), True, "")
    decision = judged(held_out).decision
    expected = f"Not promoted: the champion models:/dresses/1 cannot be compared: {why}."
    assert (decision.promote, decision.reason) == (False, expected)


def test_a_champion_without_predictions_or_run_stays(publish: Publish, store: MlflowClient) -> None:
    bare = publish(scores(2.0), keep=False)  # type: ignore[call-arg]
    record_decision(bare, True, "")
    assert "keeps no predictions.parquet" in judged(scores(2.0)).decision.reason
    lost = dataclasses.replace(bare, run_id="0" * 32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "champion", lambda name: lost)
        decision = judged(scores(2.0)).decision
    assert not decision.promote
    assert "cannot be compared" in decision.reason


def test_of_two_trainings_that_end_at_once_the_second_meets_the_first(publish: Publish) -> None:
    good, poor = scores(3.0), scores(0.7, seed=1)
    early, late = judged(good), judged(poor)  # neither finds a champion
    assert early.decision.promote
    assert late.decision.promote
    first, second = publish(good), publish(poor)
    assert carried_out(first, early, good) == early
    revised = carried_out(second, late, poor)
    assert not revised.decision.promote
    assert revised.champion == find_version("dresses", "1")
    assert champion("dresses") == find_version("dresses", "1")
    assert find_version("dresses", "2").tags["aimonk.promoted"] == "false"
