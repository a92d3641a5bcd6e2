import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import f1_score, precision_score, recall_score

from aimonk.data.labels import MISSING
from aimonk.evaluation.thresholds import choose_thresholds, operating_points
from aimonk.threshold_rule import ThresholdRule, parse_rule

# By falling probability: 1 at 0.9, 0 at 0.7, 1 at 0.6, 1 at 0.4, 0 at 0.2.
LABELS = np.array([1, 0, 1, 1, 0], np.float32)[:, None]
PROBABILITIES = np.array([0.9, 0.7, 0.6, 0.4, 0.2])[:, None]


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [
        ("f1", 0.3),  # F1 of the cuts: 1/2, 2/5, 2/3, 6/7, 3/4
        ("precision>=0.7", 0.3),  # precisions 1, 1/2, 2/3, 3/4, 3/5; recalls 1/3, 1/3, 2/3, 1, 1
        ("precision>=0.8", 0.8),
        ("recall>=0.6", 0.3),  # of the cuts with recall 2/3, 1, 1 the one with precision 3/4
        ("recall>=0.3", 0.8),
        ("0.35", 0.35),
        ("1", 1.0),
    ],
)
def test_rules_by_hand(rule: str, threshold: float) -> None:
    assert choose_thresholds(LABELS, PROBABILITIES, rule)[0] == pytest.approx(threshold)


def test_missing_labels_do_not_choose() -> None:
    labels = np.vstack([LABELS, np.full((3, 1), MISSING)]).astype(np.float32)
    probabilities = np.vstack([PROBABILITIES, [[0.31], [0.95], [0.39]]])
    assert choose_thresholds(labels, probabilities, "f1")[0] == pytest.approx(0.3)


def test_tied_probabilities_are_cut_together() -> None:
    labels = np.array([1, 0, 1, 0], np.float32)[:, None]
    probabilities = np.array([0.8, 0.8, 0.8, 0.1])[:, None]
    # Precision 2/3 at best, though the first of the tied images is a positive.
    assert choose_thresholds(labels, probabilities, "precision>=0.9")[0] == pytest.approx(0.45)


def test_always_yes_lies_below_the_lowest_probability() -> None:
    labels = np.array([0, 1, 1], np.float32)[:, None]
    assert choose_thresholds(labels, np.array([[0.9], [0.6], [0.4]]), "f1")[0] == pytest.approx(0.2)


def test_neighboring_floats_have_nothing_between_them() -> None:
    low = 0.5
    high = np.nextafter(low, 1)
    chosen = choose_thresholds(np.array([[1.0], [0.0]]), np.array([[high], [low]]), "f1")
    assert chosen[0] == high


@pytest.mark.parametrize("labels", [(1, 1), (0, 0), (MISSING, 1), (MISSING, MISSING), ()])
def test_one_class_falls_back_to_one_half(labels: tuple[float, ...]) -> None:
    targets = np.array(labels, np.float32)[:, None]
    probabilities = np.linspace(0.1, 0.2, len(labels))[:, None]
    assert choose_thresholds(targets, probabilities, "f1").tolist() == [0.5]


@given(
    arrays.arrays(np.float32, (12, 1), elements=st.sampled_from([0.0, 1.0, MISSING])),
    arrays.arrays(np.float64, (12, 1), elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])),
)
def test_no_threshold_has_a_higher_f1(targets: np.ndarray, probabilities: np.ndarray) -> None:
    known = targets[:, 0] != MISSING
    truth, scores = targets[known, 0], probabilities[known, 0]
    if len(set(truth)) == 2:
        chosen = choose_thresholds(targets, probabilities, "f1")[0]
        best = max(f1_score(truth, scores >= cut) for cut in np.unique(scores))
        assert f1_score(truth, scores >= chosen) == pytest.approx(best)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("f1", ThresholdRule("f1")),
        (" precision >= 0.9 ", ThresholdRule("precision", 0.9)),
        ("recall>=1", ThresholdRule("recall", 1.0)),
        (".5", ThresholdRule("fixed", 0.5)),
        ("0", ThresholdRule("fixed", 0.0)),
    ],
)
def test_rules_are_read(text: str, rule: ThresholdRule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    "text", ["", "f2", "precision", "precision>0.9", "recall>=1.1", "recall>=0", "-1", "1e-1", "2"]
)
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="precision>=P"):
        parse_rule(text)


def test_operating_points_by_hand() -> None:
    (point,) = operating_points(LABELS, PROBABILITIES, np.array([0.65]), ("collar",))
    assert (point.name, point.threshold) == ("collar", 0.65)
    # Yes to 0.9 and 0.7: one of two right, one of three found. At 0.5: two of three, two of three.
    assert point.precision == 0.5
    assert point.recall == pytest.approx(1 / 3)
    assert point.f1 == pytest.approx(2 / 5)
    assert point.f1_at_half == pytest.approx(2 / 3)
    assert point.f1_always_yes == pytest.approx(2 * 0.6 / 1.6)


def test_a_threshold_for_each_image() -> None:
    thresholds = np.array([0.95, 0.65, 0.5, 0.5, 0.1])[:, None]
    (point,) = operating_points(LABELS, PROBABILITIES, thresholds, ("collar",))
    # Yes to 0.7, 0.6 and 0.2.
    assert (point.precision, point.recall) == pytest.approx((1 / 3, 1 / 3))
    assert point.threshold == 0.5


def test_operating_points_equal_scikit_learn_and_leave_out_missing_labels() -> None:
    generator = np.random.default_rng(0)
    targets = generator.choice([0, 1, MISSING], (60, 3)).astype(np.float32)
    probabilities = generator.random((60, 3))
    thresholds = np.array([0.3, 0.5, 0.7])
    for j, point in enumerate(operating_points(targets, probabilities, thresholds, ("a", "b", "c"))):
        known = targets[:, j] != MISSING
        truth, yes = targets[known, j], probabilities[known, j] >= thresholds[j]
        assert point.precision == pytest.approx(precision_score(truth, yes))
        assert point.recall == pytest.approx(recall_score(truth, yes))
        assert point.f1 == pytest.approx(f1_score(truth, yes))
        assert point.f1_always_yes == pytest.approx(f1_score(truth, np.ones_like(truth)))


def test_what_is_not_defined_is_nan() -> None:
    targets = np.array([[0, MISSING, 1]] * 2, np.float32)
    no_positive, unknown, nothing_predicted = operating_points(
        targets, np.full((2, 3), 0.2), np.array([0.1, 0.1, 0.9]), ("a", "b", "c")
    )
    assert (no_positive.precision, no_positive.f1) == (0, 0)
    assert np.isnan(no_positive.recall)
    assert np.isnan([unknown.precision, unknown.recall, unknown.f1, unknown.f1_always_yes]).all()
    assert np.isnan(nothing_predicted.precision)
    assert (nothing_predicted.recall, nothing_predicted.f1) == (0, 0)


def test_each_group_counts_once() -> None:
    # One patient with eight images, all negative at 0.8; five others, positive at 0.9, 0.7 and 0.6.
    labels = np.array([0] * 8 + [1, 1, 1, 0, 0], np.float32)[:, None]
    probabilities = np.array([0.8] * 8 + [0.9, 0.7, 0.6, 0.2, 0.1])[:, None]
    groups = np.array([3] * 8 + [4, 5, 6, 7, 8])
    # By images, F1 at 0.85 is 1/2 and at 0.4 is 6/14; by groups 1/2 and 6/7.
    assert choose_thresholds(labels, probabilities, "f1")[0] == pytest.approx(0.85)
    assert choose_thresholds(labels, probabilities, "f1", groups)[0] == pytest.approx(0.4)
    # By groups, precision is 3/4 there.
    assert choose_thresholds(labels, probabilities, "precision>=0.75", groups)[0] == pytest.approx(0.4)


@given(st.integers(2, 5), st.sampled_from(["f1", "precision>=0.7", "recall>=0.6"]))
def test_copies_do_not_move_a_threshold(copies: int, rule: str) -> None:
    rows = np.repeat(np.arange(5), [copies, 1, copies, 1, 2])
    once = choose_thresholds(LABELS, PROBABILITIES, rule)
    assert choose_thresholds(LABELS[rows], PROBABILITIES[rows], rule, rows) == pytest.approx(once)
