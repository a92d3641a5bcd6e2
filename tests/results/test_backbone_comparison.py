from __future__ import annotations

import math

import numpy as np
import pytest

from aimonk.evaluation.evidence import Evidence, weigh_evidence
from aimonk.evaluation.intervals import Interval
from aimonk.results.backbone_comparison import BackboneComparison, MeasuredBackbone

IMAGES = 60


def evidence(skill: float) -> Evidence:
    """What a score with so much of the label in it shows."""
    generator = np.random.default_rng(3)
    targets = (np.arange(IMAGES) % 2).astype(np.float32)[:, None]
    scores = skill * targets + generator.normal(size=targets.shape)
    return weigh_evidence(targets, scores, ("scarf",), np.arange(IMAGES), None)


GOOD, CHANCE = evidence(3.0), evidence(0.0)


def measured(name: str, seconds: float, *difference: float, found: Evidence = GOOD) -> MeasuredBackbone:
    return MeasuredBackbone(name, found, seconds, Interval(*difference) if difference else None)


def test_a_slower_backbone_is_worth_it_only_if_it_is_told_apart() -> None:
    worse = measured("small", 6, -0.046, -0.06, -0.03)
    found = BackboneComparison((worse, measured("large", 24)), IMAGES)
    assert found.choice is found.best is found.backbones[1]
    assert found.advice == (
        "large is worth its time: it takes 24 s for 1,000 images instead of 6.0 s, and small, the fastest, "
        "scores less (difference −0.046 [−0.060, −0.030])."
    )


def test_what_is_not_told_apart_and_faster_is_taken() -> None:
    equal = measured("small", 6, -0.004, -0.01, 0.002)
    found = BackboneComparison((measured("large", 24), equal, measured("tiny", 2, -0.1, -0.2, -0.05)), IMAGES)
    assert found.choice is equal
    assert found.advice == (
        "Take small: it is not told apart from large, which scores best (difference −0.004 [−0.010, 0.002]), "
        "and takes 6.0 s for 1,000 images instead of 24 s."
    )


def test_the_best_and_fastest_needs_no_reason() -> None:
    found = BackboneComparison((measured("a", 2), measured("b", 9, -0.1, -0.2, -0.05)), IMAGES)
    assert found.advice == "Take a: it scores best and is the fastest."


def test_a_difference_without_an_interval_tells_nothing_apart() -> None:
    found = BackboneComparison((measured("a", 9), measured("b", 2, -0.1, math.nan, math.nan)), IMAGES)
    assert found.choice is found.backbones[1]
    assert found.to_json()["backbones"][1]["difference"] == {"value": -0.1, "low": None, "high": None}


def test_where_nothing_was_learned_no_backbone_is_taken() -> None:
    backbones = (measured("a", 2, found=CHANCE), measured("b", 9, 0.0, -0.1, 0.1, found=CHANCE))
    found = BackboneComparison(backbones, IMAGES)
    assert found.choice is None
    assert "None of them learned anything" in str(found)
    assert found.to_json()["choice"] is None


def test_the_table_shows_what_json_holds() -> None:
    found = BackboneComparison((measured("nets/a", 2), measured("b=c.h5", 9, -0.1, -0.2, -0.05)), IMAGES)
    assert list(found.table["name"]) == ["nets/a", "b=c.h5"]
    assert found.table["mAP"][0] == pytest.approx(GOOD.mean_ap.value)
    assert found.table["learned"][0] == ["scarf"]
    text = str(found)
    assert all(name in text for name in found.table["name"])
    assert "1 of 1" in text
    assert "−0.100 [−0.200, −0.050]" in text
