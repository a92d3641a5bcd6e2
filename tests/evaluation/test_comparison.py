import numpy as np
import pytest

from aimonk.data.labels import MISSING
from aimonk.evaluation.comparison import Comparison, Decision, compare, decide
from aimonk.evaluation.evidence import AttributeEvidence, Evidence, Verdict
from aimonk.evaluation.intervals import UNDEFINED, Interval
from aimonk.evaluation.metrics import average_precision


def draw(
    images: int = 400, attributes: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    generator = np.random.default_rng(seed)
    targets = (generator.random((images, attributes)) < 0.3).astype(np.float32)
    return targets, generator.normal(size=targets.shape), generator


def run(
    targets: np.ndarray, challenger: np.ndarray, champion: np.ndarray, groups: np.ndarray | None = None
) -> Comparison:
    names = tuple(f"attribute {j}" for j in range(targets.shape[1]))
    groups = np.arange(len(targets)) if groups is None else groups
    return compare(targets, challenger, champion, names, groups, resamples=400)


def test_differences_of_average_precision() -> None:
    targets, noise, _ = draw()
    targets[:50, 0] = MISSING
    better, worse = noise + 2 * targets, noise + targets
    comparison = run(targets, better, worse)
    ap = average_precision(targets, better), average_precision(targets, worse)
    for j, attribute in enumerate(comparison.attributes):
        assert attribute.challenger == pytest.approx(ap[0][j])
        assert attribute.champion == pytest.approx(ap[1][j])
        assert attribute.difference.value == pytest.approx(ap[0][j] - ap[1][j])
        assert 0 < attribute.difference.low < attribute.difference.value < attribute.difference.high
    assert comparison.challenger == pytest.approx(ap[0].mean())
    assert comparison.champion == pytest.approx(ap[1].mean())
    assert comparison.difference.value == pytest.approx(ap[0].mean() - ap[1].mean())
    assert comparison.images == 400


def test_exchanging_the_models_mirrors_the_difference() -> None:
    targets, noise, generator = draw()
    first, second = noise + targets, generator.normal(size=noise.shape) + targets
    one, other = run(targets, first, second).difference, run(targets, second, first).difference
    np.testing.assert_allclose([one.value, one.low, one.high], [-other.value, -other.high, -other.low])


def test_equal_models_differ_by_nothing() -> None:
    targets, noise, _ = draw()
    comparison = run(targets, noise, 2 * noise + 1)
    assert comparison.difference == Interval(0.0, 0.0, 0.0)


def test_pairing_narrows_the_interval() -> None:
    targets, noise, generator = draw()
    similar = noise + targets + 0.1 * generator.normal(size=noise.shape)
    unlike = generator.normal(size=noise.shape) + targets
    paired = run(targets, noise + targets, similar).difference
    unpaired = run(targets, noise + targets, unlike).difference
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)


def test_copies_do_not_narrow_the_interval() -> None:
    targets, noise, generator = draw(200)
    other = generator.normal(size=noise.shape)
    rows = np.tile(np.arange(200), 4)
    once = run(targets, noise, other).difference
    copied = run(targets[rows], noise[rows], other[rows], rows).difference
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.05)


def test_intervals_of_equally_good_models_hold_zero() -> None:
    inside = 0
    for seed in range(100):
        targets, noise, generator = draw(150, 2, seed)
        gap = run(targets, noise + targets, generator.normal(size=noise.shape) + targets).difference
        inside += gap.low <= 0 <= gap.high
    # 95 expected; 88 or fewer, or all 100, in less than 1% of such draws.
    assert 89 <= inside <= 99


def test_attributes_without_both_classes_do_not_count() -> None:
    targets, noise, _ = draw(100)
    targets[:, 1] = 1
    comparison = run(targets, noise + targets, noise)
    first, none, last = comparison.attributes
    assert np.isnan([none.challenger, none.champion, none.difference.value, none.difference.low]).all()
    assert comparison.difference.value == pytest.approx((first.difference.value + last.difference.value) / 2)
    nothing = run(np.ones((5, 1), np.float32), np.ones((5, 1)), np.ones((5, 1)))
    assert np.isnan([nothing.challenger, nothing.champion, nothing.difference.value]).all()


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        run(np.ones((3, 1)), np.ones((3, 1)), np.ones((2, 1)))


def evidence(*verdicts: Verdict) -> Evidence:
    interval = Interval(0.5, 0.4, 0.6)
    attributes = tuple(
        AttributeEvidence(f"a{j}", 20, 20, interval, interval, 0.01, 0.01, verdict)
        for j, verdict in enumerate(verdicts)
    )
    return Evidence(attributes, interval, interval, images=40, folds=0)


def against(value: float, low: float, high: float) -> Comparison:
    return Comparison(
        (), challenger=0.5 + value, champion=0.5, difference=Interval(value, low, high), images=80
    )


LEARNED = evidence(Verdict.LEARNED, Verdict.NO_EVIDENCE)


def test_nothing_learned_is_never_promoted() -> None:
    nothing = evidence(Verdict.NO_EVIDENCE, Verdict.TOO_FEW)
    refused = Decision(False, "Not promoted: there is no evidence that any of 2 attributes was learned.")
    assert decide(nothing, None) == refused
    assert decide(nothing, against(0.3, 0.2, 0.4)) == refused


def test_the_first_that_learned_is_promoted() -> None:
    reason = "Promoted: it learned 1 of 2 attributes and there is no champion yet."
    assert decide(LEARNED, None) == Decision(True, reason)


def test_not_worse_is_promoted() -> None:
    assert decide(LEARNED, against(0.01, -0.015, 0.035)) == Decision(
        True,
        "Promoted: it learned 1 of 2 attributes and is not worse than the champion "
        "(mean AP 0.510 against 0.500 on 80 images, difference +0.010, 95% interval -0.015 to +0.035).",
    )


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        ((-0.1, -0.2, -0.01), "Not promoted: it is worse than the champion (mean AP 0.400 against 0.500 "),
        (
            (0.01, -0.05, 0.07),
            "Not promoted: it may be worse than the champion by more than 0.02 (mean AP 0.510 ",
        ),
        ((-0.02, -0.02, -0.02), "Not promoted: it is worse than the champion (mean AP 0.480 against 0.500 "),
    ],
)
def test_worse_or_perhaps_worse_is_refused(gap: tuple[float, float, float], reason: str) -> None:
    decision = decide(LEARNED, against(*gap))
    assert not decision.promote
    assert decision.reason.startswith(reason)


def test_the_margin_is_the_callers() -> None:
    assert decide(LEARNED, against(0.01, -0.05, 0.07), margin=0.1).promote
    assert not decide(LEARNED, against(0.01, -0.001, 0.07), margin=0).promote


def test_nothing_to_compare_on_is_refused() -> None:
    comparison = Comparison((), float("nan"), float("nan"), UNDEFINED, images=3)
    reason = "Not promoted: no attribute has both classes among the images of the comparison."
    assert decide(LEARNED, comparison) == Decision(False, reason)
