"""Average precision under the right labels, from a review that looked mostly at what the model doubts.

The bias. Let y be the given label of a cell, t the right one, m the model's answer, and R the reviewed cells.
After a review the labels are t in R and y elsewhere. Cells outside R whose label is wrong count for the model
where m = y, and against it where m = t. So for the error rate

    naive - true = P(not in R, y wrong, m = t) - P(not in R, y wrong, m = y).

A review of suspects takes the cells with m != y, most doubted first. The first term, which is to the model's
disadvantage, shrinks to 0 as these are worked off. The second one stays whatever is reviewed: nobody is shown
the cells where model and label are wrong together. A complete review of the suspects therefore flatters the
model by exactly their share, and likewise AP, AUC and F1. The more the model was trained on wrong labels, the
more of its mistakes agree with them.

A figure without it. Controls are a simple random sample of each attribute's known cells. Among the cells that
were not reviewed for doubt, N_a of attribute a, the n_a answered controls are one too. Then

    h_i = t_i                                  reviewed for doubt,
    h_i = y_i + (t_i - y_i) N_a / n_a          control,
    h_i = y_i                                  all others

has the expectation that sums of t have: the difference estimator (Sarndal, Swensson and Wretman 1992, "Model
Assisted Survey Sampling", section 6.3), a form of Horvitz and Thompson's (1952). It is precise where few
labels are wrong, as only wrong ones contribute to its error. AP over all cells, ranked together by calibrated
probability, is

    AP = sum_i sum_{j: p_j >= p_i} t_i t_j / s_i / sum_i t_i,    s_i = number of cells with p_j >= p_i.

Products of different cells are estimated by h_i h_j. For i = j, t_i^2 = t_i is estimated by h_i and not by
h_i^2, whose expectation is too large by the variance of h_i. Numerator and denominator are unbiased up to
terms of order 1 / n, and their ratio is consistent.

The interval covers which controls were drawn, not which images: the truth is the AP of these very cells. It
is symmetric on the logit scale with the standard error of a bootstrap of the controls and Student's t for the
wrong labels among them, since only these carry information. Below five of them it is undefined.

What stays: reviewers err. A reviewer's mistakes on controls count as label errors and pull the figure down,
see `review_tally` for their rate. "Cannot tell" takes a cell out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING
from .intervals import UNDEFINED, Interval, logit_interval, student

FEWEST_ERRORS = 5
"""Wrong labels among the controls that an interval needs."""


@dataclass(frozen=True)
class ReviewedCells:
    """A review as matrices over N images and L attributes.

    Attributes:
        targets: `(N, L)` given labels: 1, 0 and `MISSING`.
        answers: `(N, L)` answers: 1, 0, `MISSING` for "cannot tell", and nan where there is none.
        controls: `(N, L) bool`: answered because they were drawn at random, and for no other reason.
    """

    targets: np.ndarray
    answers: np.ndarray
    controls: np.ndarray


@dataclass(frozen=True)
class ReviewedPrecision:
    """Average precision over the known cells of the attributes that have answered controls."""

    given: float
    """Under the given labels."""
    naive: float
    """Under the corrected labels, as if all other labels were right."""
    unbiased: Interval
    """Estimate under the right labels, with a 95% interval."""
    attributes: int
    controls: int
    errors: int
    """Wrong labels among the controls."""


@dataclass(frozen=True)
class ReviewedComparison:
    """Two models under the labels of one review."""

    first: ReviewedPrecision
    second: ReviewedPrecision
    difference: Interval
    """Second less first under the right labels: estimate and paired 95% interval."""


def reviewed_precision(
    cells: ReviewedCells, probabilities: np.ndarray, *, resamples: int = 500, seed: int = 0
) -> ReviewedPrecision:
    """Estimate the AP over all cells that a model has under the right labels.

    Args:
        cells: the review.
        probabilities: `(N, L)` calibrated out-of-fold probabilities; nan where there is none.
        resamples: of the bootstrap.
        seed: of its random draws.

    Returns:
        Figures that are nan where no control was answered.
    """
    return _estimate(cells, (probabilities,), resamples, seed)[0][0]


def compare_reviewed(
    cells: ReviewedCells, first: np.ndarray, second: np.ndarray, *, resamples: int = 500, seed: int = 0
) -> ReviewedComparison:
    """Compare two models on the cells that both scored, paired; arguments as `reviewed_precision`."""
    both = np.isfinite(first) & np.isfinite(second)
    models = tuple(np.where(both, model, np.nan) for model in (first, second))
    (one, two), draws = _estimate(cells, models, resamples, seed)
    value, errors = two.unbiased.value - one.unbiased.value, one.errors
    difference = Interval(value, np.nan, np.nan)
    if errors >= FEWEST_ERRORS:
        half = student(errors) * float((draws[1] - draws[0]).std(ddof=1))
        difference = Interval(value, value - half, value + half)
    return ReviewedComparison(one, two, difference)


def _estimate(
    cells: ReviewedCells, models: tuple[np.ndarray, ...], resamples: int, seed: int
) -> tuple[list[ReviewedPrecision], np.ndarray]:
    """Each model's figures, and the `(models, resamples)` draws of its estimate."""
    frame, answered = _frame(cells, models[0])
    rows, columns = np.nonzero(frame)
    given, answers = cells.targets[rows, columns].astype(np.float64), cells.answers[rows, columns]
    chosen = cells.controls[rows, columns] & answered[rows, columns]
    doubted = answered[rows, columns] & ~chosen
    corrected = np.where(answered[rows, columns], answers, given)
    base = np.where(doubted, answers, given)
    size = np.bincount(columns[~doubted], minlength=frame.shape[1])
    drawn = np.bincount(columns[chosen], minlength=frame.shape[1])
    at = np.flatnonzero(chosen)
    moved = (answers[at] - given[at]) * size[columns[at]] / np.maximum(drawn[columns[at]], 1)
    generator = np.random.default_rng(seed)
    evenly = np.full(max(len(at), 1), 1 / max(len(at), 1))
    counts = generator.multinomial(len(at), evenly, resamples)[:, : len(at)]
    found, draws = [], np.full((len(models), resamples), np.nan)
    for number, model in enumerate(models):
        ranking = _CellRanking(model[rows, columns])
        estimate = ranking.average_precision(_with(base, at, moved))
        draws[number] = [ranking.average_precision(_with(base, at, moved * count)) for count in counts]
        errors = int(np.count_nonzero(moved))
        interval = Interval(estimate, np.nan, np.nan) if len(at) else UNDEFINED
        if errors >= FEWEST_ERRORS and 0 < estimate < 1:
            interval = logit_interval(estimate, float(draws[number].std(ddof=1)), errors)
        found.append(
            ReviewedPrecision(
                given=ranking.average_precision(given),
                naive=ranking.average_precision(corrected),
                unbiased=interval,
                attributes=int(np.count_nonzero(drawn)),
                controls=len(at),
                errors=errors,
            )
        )
    return found, draws


def _frame(cells: ReviewedCells, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells that count, and which of them have an answer; "cannot tell" takes a cell out."""
    known = (cells.targets != MISSING) & np.isfinite(probabilities)
    unclear = cells.answers == MISSING
    answered = known & np.isfinite(cells.answers) & ~unclear
    covered = (answered & cells.controls).any(axis=0)
    return known & ~unclear & covered, answered


def _with(base: np.ndarray, at: np.ndarray, moved: np.ndarray) -> np.ndarray:
    changed = base.copy()
    changed[at] += moved
    return changed


class _CellRanking:
    """Cells by descending score, tied scores as one step."""

    def __init__(self, scores: np.ndarray) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ranked = scores[self.order]
        self.last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else self.order

    def average_precision(self, labels: np.ndarray) -> float:
        """AP for labels that are estimates of 0 and 1, see above; nan without positives."""
        ranked = labels[self.order]
        positives = float(ranked.sum())
        if not positives > 0:
            return float("nan")
        found = np.cumsum(ranked)[self.last]
        gained = np.diff(found, prepend=0.0)
        own = np.diff(np.cumsum(ranked - ranked**2)[self.last], prepend=0.0)
        return float(((gained * found + own) / (self.last + 1)).sum()) / positives
