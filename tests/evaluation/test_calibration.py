import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import minimize
from scipy.special import expit

from aimonk.data.labels import MISSING
from aimonk.evaluation.calibration import Calibration, expected_calibration_error, fit_calibration


def test_undoes_what_pos_weight_did() -> None:
    """True logits doubled and shifted by log(pos_weight) = 3, as weighted cross-entropy shifts them."""
    generator = np.random.default_rng(0)
    true = generator.normal(-2, 1.5, (20_000, 1))
    targets = (generator.random(true.shape) < expit(true)).astype(np.float32)
    logits = 2 * true + 3
    calibration = fit_calibration(targets, logits)
    np.testing.assert_allclose(calibration.scale, 0.5, atol=0.03)
    np.testing.assert_allclose(calibration.shift, -1.5, atol=0.08)
    before = expected_calibration_error(targets, expit(logits))[0]
    after = expected_calibration_error(targets, expit(calibration.apply(logits)))[0]
    assert before > 0.15
    assert after < 0.012


def objective(parameters: np.ndarray, targets: np.ndarray, logits: np.ndarray) -> float:
    """Written out from the docstring: smoothed targets and both priors."""
    positives, negatives = (targets == 1).sum(), (targets == 0).sum()
    smooth = np.where(targets == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    p = expit(parameters[0] * logits + parameters[1])
    entropy = -(smooth * np.log(p) + (1 - smooth) * np.log(1 - p)).sum()
    return float(entropy + (parameters[0] - 1) ** 2 / 2 + 0.01 * parameters[1] ** 2 / 2)


def test_finds_the_minimum_for_every_attribute_at_once() -> None:
    generator = np.random.default_rng(1)
    targets = (generator.random((50, 4)) < [0.1, 0.3, 0.5, 0.9]).astype(np.float32)
    logits = generator.normal(size=(50, 4)) + np.array([0.5, 1, 3, 2]) * targets
    targets[generator.random((50, 4)) < 0.2] = MISSING
    calibration = fit_calibration(targets, logits)
    for j in range(4):
        known = targets[:, j] != MISSING
        best = minimize(
            objective, [1, 0], (targets[known, j], logits[known, j]), bounds=[(1e-3, None), (None, None)]
        )
        found = (calibration.scale[j], calibration.shift[j])
        np.testing.assert_allclose(found, best.x, atol=2e-4)


def test_a_reversed_score_keeps_its_order() -> None:
    targets = np.tile([1, 0], 100)[:, None].astype(np.float32)
    calibration = fit_calibration(targets, np.where(targets == 1, -3.0, 3.0))
    assert calibration.scale[0] == 1e-3
    # What remains is the base rate: half of them.
    assert expit(calibration.shift[0]) == pytest.approx(0.5, abs=1e-3)


def test_a_rare_perfectly_separated_attribute_does_not_explode() -> None:
    targets = np.zeros((200, 1), np.float32)
    targets[:2] = 1
    logits = np.where(targets == 1, 0.5, -0.5)
    calibration = fit_calibration(targets, logits)
    # Unbounded: smoothed targets 3/4 and 1/200 ask for scale log(3) + log(199) = 6.4.
    assert 1 < calibration.scale[0] < 4
    assert np.all(np.abs(calibration.apply(logits)) < 6)


@pytest.mark.parametrize("labels", [(1, 1, MISSING), (0, 0, 0), (MISSING,) * 3, ()])
def test_one_class_stays_as_it_is(labels: tuple[float, ...]) -> None:
    targets = np.array(labels, np.float32)[:, None]
    calibration = fit_calibration(targets, np.linspace(-1, 1, len(labels))[:, None])
    assert (calibration.scale.tolist(), calibration.shift.tolist()) == ([1.0], [0.0])


@given(
    arrays.arrays(np.float32, (9, 2), elements=st.sampled_from([0.0, 1.0, MISSING])),
    arrays.arrays(np.float32, (9, 2), elements=st.floats(-60, 60, width=32)),
)
def test_always_finite_and_increasing(targets: np.ndarray, logits: np.ndarray) -> None:
    calibration = fit_calibration(targets, logits)
    assert np.isfinite(calibration.shift).all()
    assert (calibration.scale >= 1e-3).all() and np.isfinite(calibration.scale).all()


def test_apply() -> None:
    calibration = Calibration(np.array([2.0, 0.5]), np.array([1.0, -1.0]))
    assert calibration.apply(np.array([[1.0, 4.0]])).tolist() == [[3.0, 1.0]]


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([0.1, 0.2, 0.6, 0.9])[:, None]
    targets = np.array([0, 1, 1, 1], np.float32)[:, None]
    # Bins (0.1, 0.2) and (0.6, 0.9): |0.3 - 1| and |1.5 - 2|, over 4 images.
    assert expected_calibration_error(targets, probabilities, bins=2)[0] == pytest.approx((0.7 + 0.5) / 4)
    assert expected_calibration_error(targets, probabilities, bins=1)[0] == pytest.approx(1.2 / 4)


def test_calibration_error_keeps_equal_probabilities_together() -> None:
    targets = np.array([0, 1] * 20, np.float32)[:, None]
    assert expected_calibration_error(targets, np.full((40, 1), 0.5))[0] == 0


def test_calibration_error_leaves_out_missing_labels() -> None:
    targets = np.array([[1, MISSING], [MISSING, MISSING]], np.float32)
    errors = expected_calibration_error(targets, np.array([[0.75, 0.5], [0.1, 0.5]]))
    np.testing.assert_allclose(errors, [0.25, np.nan])


def test_copies_do_not_count_twice() -> None:
    generator = np.random.default_rng(3)
    targets = (generator.random((40, 3)) < 0.4).astype(np.float32)
    targets[::7, 1] = MISSING
    logits = generator.normal(size=(40, 3)) + targets
    rows = np.repeat(np.arange(40), generator.integers(1, 6, 40))
    once, many = fit_calibration(targets, logits), fit_calibration(targets[rows], logits[rows], rows)
    np.testing.assert_allclose(many.scale, once.scale, rtol=1e-6)
    np.testing.assert_allclose(many.shift, once.shift, rtol=1e-6, atol=1e-9)
    ignored = fit_calibration(targets[rows], logits[rows])
    assert not np.allclose(ignored.scale, once.scale, rtol=0.01)


def test_many_images_are_fitted_a_few_columns_at_a_time() -> None:
    generator = np.random.default_rng(4)
    targets = (generator.random((150_000, 3)) < [0.1, 0.4, 0.7]).astype(np.float32)
    logits = 3 * generator.normal(size=targets.shape) + targets
    together = fit_calibration(targets, logits)
    for j in range(3):
        alone = fit_calibration(targets[:, [j]], logits[:, [j]])
        assert (alone.scale[0], alone.shift[0]) == (together.scale[j], together.shift[j])
