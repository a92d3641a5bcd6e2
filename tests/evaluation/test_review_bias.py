from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from aimonk.data.labels import MISSING
from aimonk.evaluation.review_bias import ReviewedCells, compare_reviewed, reviewed_precision


@dataclasses.dataclass(frozen=True)
class Case:
    truth: np.ndarray
    given: np.ndarray
    scores: np.ndarray

    def review(self, suspects: int, controls: int, seed: int) -> ReviewedCells:
        """The most doubted cells, and for each attribute so many at random."""
        doubt = np.where(self.given == 1, 1 - self.scores, self.scores)
        answers, drawn = np.full(self.truth.shape, np.nan), np.zeros(self.truth.shape, dtype=bool)
        generator = np.random.default_rng(seed)
        for column in range(self.truth.shape[1]):
            drawn[generator.choice(len(self.truth), controls, replace=False), column] = True
        asked: np.ndarray = np.zeros(doubt.size, dtype=bool)
        asked[np.argsort(-doubt.ravel(), kind="stable")[:suspects]] = True
        asked = asked.reshape(doubt.shape)
        answers[asked | drawn] = self.truth[asked | drawn]
        return ReviewedCells(self.given, answers, drawn & ~asked)


def simulated(images: int = 2_000, wrong: float = 0.1, seed: int = 0) -> Case:
    """Four attributes, a tenth of whose labels are wrong, and a model that often is too."""
    draw = np.random.default_rng(seed)
    truth = (draw.random((images, 4)) < 0.3).astype(np.float64)
    given = np.where(draw.random(truth.shape) < wrong, 1 - truth, truth)
    logits = 2 * (truth - 0.5) + (given - 0.5) + draw.normal(0, 1, truth.shape)  # it has learned some errors
    return Case(truth, given, 1 / (1 + np.exp(-logits)))


def test_when_all_is_reviewed_every_figure_is_the_truth() -> None:
    case = simulated(200)
    found = reviewed_precision(case.review(0, 200, 0), case.scores)
    truth = average_precision_score(case.truth.ravel(), case.scores.ravel())
    assert found.naive == pytest.approx(truth)
    assert found.unbiased.value == pytest.approx(truth)
    assert found.given == pytest.approx(average_precision_score(case.given.ravel(), case.scores.ravel()))
    assert (found.controls, found.errors) == (800, int(np.sum(case.truth != case.given)))


def test_a_case_by_hand() -> None:
    # Four cells by descending score: given 1 0 1 0. The first was doubted and is absent. Of the other three
    # the controls are the second and third, so each stands for 1.5 cells; the second is present.
    cells = ReviewedCells(
        targets=np.array([[1.0], [0], [1], [0]]),
        answers=np.array([[0.0], [1], [1], [np.nan]]),
        controls=np.array([[False], [True], [True], [False]]),
    )
    found = reviewed_precision(cells, np.array([[0.9], [0.8], [0.7], [0.6]]))
    # h = 0, 1.5, 1, 0; AP = (1.5 / 2 + (1 * (1.5 + 0) + 1) / 3) / 2.5
    assert found.unbiased.value == pytest.approx((1.5 / 2 + 2.5 / 3) / 2.5)
    assert found.naive == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.given == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(found.unbiased.low)  # one wrong label says nothing of its spread


def test_the_naive_figure_flatters_and_the_estimate_is_free_of_it() -> None:
    """Reviewing every suspect leaves the cells in which model and label are wrong together."""
    case = simulated()
    truth = average_precision_score(case.truth.ravel(), case.scores.ravel())
    suspects = int(np.sum((case.scores > 0.5) != case.given))
    found = [
        reviewed_precision(case.review(suspects, 60, seed), case.scores, resamples=200) for seed in range(100)
    ]
    naive = np.mean([one.naive for one in found])
    values = np.array([one.unbiased.value for one in found])
    assert naive > truth + 0.02
    assert abs(values.mean() - truth) < 4 * values.std(ddof=1) / 10
    assert abs(values.mean() - truth) < 0.01
    held = [one.unbiased.low <= truth <= one.unbiased.high for one in found if one.errors >= 5]
    assert np.mean(held) >= 0.9


def test_cells_that_nobody_can_tell_are_taken_out() -> None:
    case = simulated(200)
    cells = case.review(0, 200, 0)
    answers = cells.answers.copy()
    answers[:50] = MISSING
    found = reviewed_precision(dataclasses.replace(cells, answers=answers), case.scores)
    assert found.unbiased.value == pytest.approx(
        average_precision_score(case.truth[50:].ravel(), case.scores[50:].ravel())
    )


def test_attributes_without_controls_are_left_out() -> None:
    case = simulated(200)
    cells = case.review(0, 200, 0)
    answers, controls = cells.answers.copy(), cells.controls.copy()
    answers[:, 3], controls[:, 3] = np.nan, False
    found = reviewed_precision(ReviewedCells(cells.targets, answers, controls), case.scores)
    assert found.attributes == 3
    assert found.naive == pytest.approx(
        average_precision_score(case.truth[:, :3].ravel(), case.scores[:, :3].ravel())
    )


def test_without_controls_nothing_is_claimed() -> None:
    case = simulated(50)
    found = reviewed_precision(case.review(20, 0, 0), case.scores)
    assert np.isnan([found.naive, found.unbiased.value, found.unbiased.low]).all()


def test_two_models_are_compared_on_the_same_controls() -> None:
    case = simulated()
    worse = np.clip(case.scores + np.random.default_rng(1).normal(0, 0.2, case.scores.shape), 0.01, 0.99)
    cells = case.review(500, 100, 0)
    found = compare_reviewed(cells, worse, case.scores)
    assert found.difference.low < found.difference.value < found.difference.high
    assert found.difference.value == pytest.approx(found.second.unbiased.value - found.first.unbiased.value)
    width = found.difference.high - found.difference.low
    assert width < found.first.unbiased.high - found.first.unbiased.low
    same = compare_reviewed(cells, case.scores, case.scores).difference
    assert (same.low, same.value, same.high) == (0, 0, 0)


@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 20))
def test_any_increasing_function_of_the_scores_does(seed: int, suspects: int, controls: int) -> None:
    case = simulated(40, seed=seed)
    cells = case.review(suspects, controls, seed)
    found = reviewed_precision(cells, case.scores, resamples=2)
    other = reviewed_precision(cells, case.scores**3, resamples=2)
    assert found == other or np.isclose(found.unbiased.value, other.unbiased.value, equal_nan=True)


def test_mistakes_of_the_reviewer_are_allowed_for() -> None:
    case = simulated()
    truth = average_precision_score(case.truth.ravel(), case.scores.ravel())
    cells = case.review(0, 2_000, 0)  # everything, so that only the mistakes are left
    values = []
    for seed in range(20):
        wrong = np.random.default_rng(seed).random(cells.answers.shape) < 0.05
        erring = dataclasses.replace(cells, answers=np.where(wrong, 1 - cells.answers, cells.answers))
        plain = reviewed_precision(erring, case.scores, resamples=2).unbiased.value
        found = reviewed_precision(erring, case.scores, reviewer_error=0.05, resamples=2).unbiased.value
        assert plain < truth - 0.02
        values.append(found)
    assert np.mean(values) == pytest.approx(truth, abs=0.004)
