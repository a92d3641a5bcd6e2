import math
from typing import Any

import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation.evidence import Verdict, weigh_evidence

FEW: dict[str, Any] = {"permutations": 2000, "resamples": 300}


def draw(
    images: int, signals: list[float], prevalence: float = 0.3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Targets, and scores whose positives lie `signal` higher."""
    generator = np.random.default_rng(seed)
    targets = (generator.random((images, len(signals))) < prevalence).astype(np.float32)
    return targets, generator.normal(size=targets.shape) + np.array(signals) * targets


def names(count: int) -> tuple[str, ...]:
    return tuple(f"attribute {j}" for j in range(count))


def test_verdicts() -> None:
    targets, scores = draw(300, [2.0, 0.0, -2.0, 2.0])
    targets[np.flatnonzero(targets[:, 3] == 1)[9:], 3] = MISSING
    evidence = weigh_evidence(
        targets, scores, ("seen", "random", "reversed", "rare"), np.arange(300), None, **FEW
    )
    assert [a.verdict for a in evidence.attributes] == [
        Verdict.LEARNED,
        Verdict.NO_EVIDENCE,
        Verdict.NO_EVIDENCE,
        Verdict.TOO_FEW,
    ]
    seen, random, backwards, rare = evidence.attributes
    # The smallest p-value, times the three attributes tested: far below what permutations could show.
    assert 0 < seen.p_raw < 1e-20
    assert seen.p_value == pytest.approx(3 * seen.p_raw)
    assert backwards.p_raw == pytest.approx(1)
    assert rare.positives == 9 and math.isnan(rare.p_value) and math.isnan(rare.p_raw)
    assert (seen.unknown, rare.unknown) == (0, 300 - 9 - rare.negatives)
    assert (rare.too_few, seen.too_few) == ("images", None)
    assert (rare.positive_groups, rare.negative_groups) == (9, rare.negatives)
    assert evidence.learned == ("seen",)
    assert evidence.headline == "LEARNED 1 of 4 attributes"
    assert (evidence.images, evidence.folds) == (300, 0)
    assert seen.prevalence == pytest.approx(np.mean(targets[:, 0]))
    assert 0.85 < seen.auc.low < seen.auc.value < seen.auc.high < 0.97
    assert random.auc.low < 0.5 < random.auc.high
    assert random.ap.low < random.prevalence < random.ap.high


def test_ten_of_each_class_are_enough() -> None:
    for positives, verdict in ((9, Verdict.TOO_FEW), (10, Verdict.LEARNED)):
        targets = (np.arange(50) < positives).astype(np.float32)[:, None]
        (attribute,) = weigh_evidence(targets, targets, ("a",), np.arange(50), None, **FEW).attributes
        assert attribute.verdict is verdict
        (mirrored,) = weigh_evidence(1 - targets, 1 - targets, ("a",), np.arange(50), None, **FEW).attributes
        assert mirrored.verdict is verdict


def test_copies_of_few_photos_are_no_evidence() -> None:
    # 5 positives and 20 negatives, each four times: 20 and 80 rows, but too few photos.
    targets, scores = draw(25, [3.0])
    targets[:] = (np.arange(25) < 5)[:, None]
    rows = np.tile(np.arange(25), 4)
    (attribute,) = weigh_evidence(targets[rows], scores[rows], ("a",), rows, None, **FEW).attributes
    assert attribute.verdict is Verdict.TOO_FEW
    assert (attribute.positives, attribute.negatives) == (20, 80)
    assert (attribute.positive_groups, attribute.negative_groups) == (5, 20)
    assert attribute.too_few == "groups"


def test_copies_do_not_narrow_the_interval() -> None:
    targets, scores = draw(200, [1.0])
    once = weigh_evidence(targets, scores, ("a",), np.arange(200), None, **FEW)
    rows = np.tile(np.arange(200), 3)
    thrice = weigh_evidence(targets[rows], scores[rows], ("a",), rows, None, **FEW)
    ignorant = weigh_evidence(targets[rows], scores[rows], ("a",), np.arange(600), None, **FEW)
    width = {}
    for name, evidence in (("once", once), ("thrice", thrice), ("ignorant", ignorant)):
        (attribute,) = evidence.attributes
        width[name] = attribute.auc.high - attribute.auc.low
    assert width["thrice"] == pytest.approx(width["once"], rel=0.02)
    assert width["ignorant"] == pytest.approx(width["once"] / math.sqrt(3), rel=0.15)
    assert thrice.attributes[0].p_raw == once.attributes[0].p_raw


def test_means_leave_out_attributes_without_both_classes() -> None:
    targets, scores = draw(100, [1.0, 1.0, 1.0])
    targets[:, 1] = 0
    evidence = weigh_evidence(targets, scores, names(3), np.arange(100), None, **FEW)
    first, none, last = evidence.attributes
    assert math.isnan(none.ap.value) and math.isnan(none.auc.low)
    assert none.verdict is Verdict.TOO_FEW
    assert evidence.mean_ap.value == pytest.approx((first.ap.value + last.ap.value) / 2)
    assert evidence.mean_auc.value == pytest.approx((first.auc.value + last.auc.value) / 2)
    assert evidence.mean_auc.high - evidence.mean_auc.low < first.auc.high - first.auc.low


def test_scores_of_folds_are_judged_fold_by_fold() -> None:
    targets, scores = draw(300, [1.5])
    folds = np.arange(300) % 5
    shifted = scores + 100.0 * folds[:, None]
    plain = weigh_evidence(targets, scores, ("a",), np.arange(300), folds, **FEW)
    assert weigh_evidence(targets, shifted, ("a",), np.arange(300), folds, **FEW) == plain
    assert plain.folds == 5
    assert plain.learned == ("a",)
    # Pooled, four of five pairs are of different folds and decided by chance.
    (pooled,) = weigh_evidence(targets, shifted, ("a",), np.arange(300), None, **FEW).attributes
    (apart,) = plain.attributes
    assert pooled.auc.value == pytest.approx(0.5 + (apart.auc.value - 0.5) / 5, abs=0.03)


def test_folds_ask_for_stronger_evidence() -> None:
    targets, scores = draw(200, [0.35], seed=3)
    one = weigh_evidence(targets, scores, ("a",), np.arange(200), None, **FEW).attributes[0]
    many = weigh_evidence(targets, scores, ("a",), np.arange(200), np.arange(200) % 2, **FEW).attributes[0]
    assert one.p_raw < 0.03 < many.p_raw < 0.2


def test_a_single_fold_is_a_test_set() -> None:
    targets, scores = draw(60, [1.0])
    single = weigh_evidence(targets, scores, ("a",), np.arange(60), np.zeros(60, np.int64), **FEW)
    assert single == weigh_evidence(targets, scores, ("a",), np.arange(60), None, **FEW)


def test_only_the_order_of_scores_matters() -> None:
    targets, scores = draw(120, [0.7, 0.0])
    logits = weigh_evidence(targets, scores, names(2), np.arange(120), np.arange(120) % 3, **FEW)
    probabilities = weigh_evidence(
        targets, 1 / (1 + np.exp(-scores)), names(2), np.arange(120), np.arange(120) % 3, **FEW
    )
    assert logits == probabilities


def test_headlines() -> None:
    targets, scores = draw(200, [2.0, 2.0])
    all_of_them = weigh_evidence(targets, scores, names(2), np.arange(200), None, **FEW)
    assert all_of_them.headline == "LEARNED all 2 attributes"
    nothing = weigh_evidence(targets, scores[::-1], names(2), np.arange(200), None, **FEW)
    assert nothing.headline == "NO EVIDENCE that anything was learned (0 of 2 attributes)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros((4, 1))}, "do not fit together"),
        ({"attributes": ("a",)}, "do not fit together"),
        ({"groups": np.arange(3)}, "do not fit together"),
        ({"folds": np.arange(3)}, "folds"),
        ({"scores": np.full((4, 2), np.nan)}, "not finite"),
        ({"groups": np.zeros(4, int), "folds": np.arange(4)}, "tear groups apart"),
    ],
)
def test_misuse(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "targets": np.ones((4, 2)),
        "scores": np.ones((4, 2)),
        "attributes": ("a", "b"),
        "groups": np.arange(4),
        "folds": None,
    }
    with pytest.raises(ValueError, match=message):
        weigh_evidence(**(arguments | change))


@pytest.mark.slow
def test_nothing_is_claimed_of_random_labels() -> None:
    """200 tables of 8 attributes without signal: 5% of them may claim one (more than 19 in 0.4% of draws)."""
    claims = 0
    for seed in range(200):
        targets, scores = draw(100, [0.0] * 8, seed=seed)
        evidence = weigh_evidence(
            targets, scores, names(8), np.arange(100), None, permutations=999, resamples=2, seed=seed
        )
        claims += bool(evidence.learned)
    assert 2 <= claims <= 19
