import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from aimonk.data.labels import MISSING
from aimonk.evaluation.metrics import average_precision, f_measure, rank, roc_auc

LABELS = st.sampled_from([0.0, 1.0, MISSING])
GRID = st.integers(-3, 3).map(float)  # few values, so that ties are common


Table = tuple[np.ndarray, np.ndarray]  # targets, scores


@st.composite
def tables(draw: st.DrawFn) -> Table:
    shape = draw(st.tuples(st.integers(1, 25), st.integers(1, 3)))
    targets = draw(arrays.arrays(np.float32, shape, elements=LABELS))
    return targets, draw(arrays.arrays(np.float64, shape, elements=GRID))


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def test_average_precision_by_hand() -> None:
    # By falling score: 1, 0, 1, 0. Precision at the positives is 1/1 and 2/3.
    targets, scores = column(0, 1, 0, 1), column(0.1, 0.9, 0.8, 0.4)
    assert average_precision(targets, scores)[0] == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_takes_tied_scores_as_one_step() -> None:
    # One step of (1, 0), then a 1: half of the recall at precision 1/2, half at 2/3, in any order.
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        targets, scores = column(1, 0, 1)[order], column(0.9, 0.9, 0.1)[order]
        assert average_precision(targets, scores)[0] == pytest.approx(0.5 * 0.5 + 0.5 * 2 / 3)


def test_roc_auc_by_hand() -> None:
    # Pairs (1, 0): 0.9 > 0.8, 0.9 > 0.1, 0.4 < 0.8, 0.4 > 0.1; a tie counts half.
    assert roc_auc(column(0, 1, 0, 1), column(0.1, 0.9, 0.8, 0.4))[0] == pytest.approx(3 / 4)
    assert roc_auc(column(1, 0, 0), column(0.5, 0.5, 0.1))[0] == pytest.approx(0.75)


def test_missing_labels_do_not_count() -> None:
    targets, scores = column(0, 1, MISSING, 0, 1, MISSING), column(0.1, 0.9, 0.95, 0.8, 0.4, 0.85)
    assert average_precision(targets, scores)[0] == pytest.approx((1 + 2 / 3) / 2)
    assert roc_auc(targets, scores)[0] == pytest.approx(3 / 4)


@pytest.mark.parametrize("labels", [(1, 1, MISSING), (0, 0, MISSING), (MISSING,) * 3, ()])
def test_undefined_without_both_classes(labels: tuple[float, ...]) -> None:
    targets, scores = column(*labels), column(*range(len(labels)))
    assert np.isnan(average_precision(targets, scores)).tolist() == [True]
    assert np.isnan(roc_auc(targets, scores)).tolist() == [True]


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        average_precision(np.zeros((3, 2)), np.zeros((3, 1)))


@given(tables())
def test_equal_to_scikit_learn(table: Table) -> None:
    targets, scores = table
    ap, auc = average_precision(targets, scores), roc_auc(targets, scores)
    for j in range(targets.shape[1]):
        known = targets[:, j] != MISSING
        if len(set(targets[known, j])) == 2:
            truth, score = targets[known, j], scores[known, j]
            assert ap[j] == pytest.approx(average_precision_score(truth, score))
            assert auc[j] == pytest.approx(roc_auc_score(truth, score))
        else:
            assert np.isnan(ap[j])
            assert np.isnan(auc[j])


@given(tables())
def test_only_the_order_of_scores_matters(table: Table) -> None:
    targets, scores = table
    np.testing.assert_array_equal(
        average_precision(targets, scores), average_precision(targets, np.exp(scores))
    )
    np.testing.assert_array_equal(roc_auc(targets, scores), roc_auc(targets, 1 / (1 + np.exp(-scores))))


@given(tables())
def test_reversed_scores_mirror_the_auc(table: Table) -> None:
    targets, scores = table
    np.testing.assert_allclose(roc_auc(targets, scores), 1 - roc_auc(targets, -scores))


@settings(max_examples=50)
@given(tables(), st.integers(0, 2**32))
def test_a_weighting_equals_repeated_images(table: Table, seed: int) -> None:
    targets, scores = table[0][:, 0], table[1][:, 0]
    weights = np.random.default_rng(seed).integers(0, 3, (4, targets.size))
    ap, auc = rank(targets, scores).both(weights.astype(np.float32))
    for b in range(4):
        repeated = np.repeat(np.arange(targets.size), weights[b])
        again = rank(targets[repeated], scores[repeated]).both(np.ones((1, repeated.size)))
        np.testing.assert_allclose([ap[b], auc[b]], np.ravel(again), rtol=1e-6)


def test_f_measure() -> None:
    # 2 hits of 3 predicted and 4 there: precision 2/3, recall 1/2.
    assert f_measure(np.array(2), np.array(3), np.array(4)) == pytest.approx(4 / 7)
    assert f_measure(np.array(0), np.array(0), np.array(0)) == 0
