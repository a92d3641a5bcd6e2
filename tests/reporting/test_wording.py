from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from aimonk.evaluation.evidence import AttributeEvidence, Evidence, Verdict
from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.thresholds import OperatingPoint
from aimonk.reporting.wording import (
    always_yes,
    by_lift,
    data_summary,
    headline_parts,
    mean,
    mean_prevalence,
    meaning,
)


def evidence(*verdicts: Verdict, folds: int = 5) -> Evidence:
    attributes = tuple(
        AttributeEvidence(
            f"a{i}", 30, 70, Interval(0.5, 0.4, 0.6), Interval(0.6, 0.5, 0.7), 0.01, 0.01, verdict
        )
        for i, verdict in enumerate(verdicts)
    )
    return Evidence(attributes, Interval(0.5, 0.4, 0.6), Interval(0.6, 0.5, 0.7), 1200, folds)


def point(name: str, f1: float, always: float) -> OperatingPoint:
    return OperatingPoint(name, 0.5, 0.5, 0.5, f1, f1, always)


L, N, F = Verdict.LEARNED, Verdict.NO_EVIDENCE, Verdict.TOO_FEW


@pytest.mark.parametrize(
    ("verdicts", "parts"),
    [
        ((L, N), ("LEARNED", "1 of 2 attributes", "")),
        ((L, L), ("LEARNED", "all 2 attributes", "")),
        ((N, F), ("NO EVIDENCE", "that anything was learned", "(0 of 2 attributes)")),
    ],
)
def test_the_headline_is_split_without_losing_a_word(
    verdicts: tuple[Verdict, ...], parts: tuple[str, ...]
) -> None:
    weighed = evidence(*verdicts)
    assert headline_parts(weighed) == parts
    assert " ".join(filter(None, parts)) == weighed.headline


def test_nothing_learned_is_said_plainly_and_warns_against_use() -> None:
    (story,) = meaning(evidence(N, N), 0.05)
    assert story.startswith(
        "On 1,200 images, each scored by a model that had seen neither the image nor a copy of it"
    )
    assert "no better than they often fit randomly shuffled labels" in story
    assert story.endswith("Do not act on this model's predictions.")


def test_something_learned_names_what_was_not_and_bounds_the_false_claims() -> None:
    learned, without, few = meaning(evidence(L, N, N, F), 0.05)
    assert (
        "for 1 of 4 attributes. The probability of even one false claim among them is at most 5%." in learned
    )
    assert without == "There is no evidence for a1 and a2. Ignore what the model says about them."
    assert few == (
        "There are too few labels for a verdict on a3: fewer than 10 photos are labeled present, "
        "or fewer than 10 absent, counting copies of a photo once."
    )


def test_where_all_are_too_few_nothing_else_is_claimed() -> None:
    assert meaning(evidence(F, F), 0.05) == [
        "There are too few labels for a verdict on a0 and a1: fewer than 10 photos are labeled present, "
        "or fewer than 10 absent, counting copies of a photo once."
    ]


def test_a_single_test_set_is_not_called_cross_validation() -> None:
    assert meaning(evidence(L, folds=0), 0.05)[0].startswith(
        "On 1,200 images that were held out from training"
    )


@pytest.mark.parametrize(("verdicts", "words"), [((L, L), "for every attribute."), ((L,), "for a0.")])
def test_all_learned(verdicts: tuple[Verdict, ...], words: str) -> None:
    (story,) = meaning(evidence(*verdicts), 0.05)
    assert words in story


def test_always_yes_stands_beside_the_model() -> None:
    points = (point("attr1", 0.96, 0.94), point("attr4", 0.6, 0.14))  # means 0.78 and 0.54
    assert always_yes(points) == (
        "Answering “present” for every image, without looking, scores a mean F1 of 0.54, and 0.94 on "
        "attr1. This model, with tuned thresholds, scores 0.78."
    )


@pytest.mark.parametrize("f1", [0.94, 0.9449, 0.7])
def test_a_model_that_adds_nothing_to_always_yes_is_told_so(f1: float) -> None:
    words = always_yes((point("attr1", f1, 0.94),))
    assert words == (
        "Answering “present” for every image, without looking, scores a mean F1 of 0.94. "
        f"This model scores {f1:.2f}, which is no better."
    )


def test_always_yes_is_silent_without_points() -> None:
    assert always_yes(()) == ""
    assert always_yes((point("a", math.nan, math.nan),)) == ""


def test_means_leave_out_what_is_not_defined() -> None:
    assert mean([0.2, math.nan, 0.4]) == pytest.approx(0.3)
    assert math.isnan(mean([math.nan]))
    weighed = evidence(L, L)
    unknown = dataclasses.replace(
        weighed.attributes[1], positives=0, ap=Interval(math.nan, math.nan, math.nan)
    )
    assert mean_prevalence(dataclasses.replace(weighed, attributes=(weighed.attributes[0], unknown))) == 0.3


def test_strongest_means_farthest_above_prevalence(small: Any) -> None:
    # collar 0.75 - 0.40, scarf 0.35 - 0.33, hat 0.06 - 0.04 (of 4 in 94)
    assert [a.name for a in by_lift(reversed(small.evidence.attributes))] == ["collar", "<b>hat</b>", "scarf"]
    undefined = dataclasses.replace(
        small.evidence.attributes[0], name="none", ap=Interval(math.nan, math.nan, math.nan)
    )
    assert by_lift((undefined, *small.evidence.attributes))[-1].name == "none"


def test_the_data_in_one_sentence(small: Any) -> None:
    assert data_summary(small.audit) == (
        "100 label rows for 3 attributes, 98 with a readable image; 5.3% of the labels are missing."
    )
