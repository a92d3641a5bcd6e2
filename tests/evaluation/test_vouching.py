"""Thresholds that vouch for labels: hand-worked cases, ties, groups, and how often a promise is broken."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from aimonk.evaluation.vouching import Passed, Promise, Vouched, certified, first_tested, vouch

PROMISE = Promise(precision=0.9, miss=0.1, confidence=0.95)
LEVEL = 0.025


def test_the_first_threshold_takes_as_many_cells_as_errors_need() -> None:
    # 0.9^35 = 0.0250 fails by a hair, 0.9^36 = 0.0225 passes
    assert first_tested(100, PROMISE, LEVEL) == 36
    # with many cells, two errors are allowed: P(Binom(n, 0.1) <= 2) <= 0.025
    n = first_tested(10_000, PROMISE, LEVEL)
    assert binom.cdf(2, n, 0.1) <= 0.025 < binom.cdf(2, n - 1, 0.1)


def test_too_few_cells_are_never_tested() -> None:
    assert first_tested(20, PROMISE, LEVEL) == 21
    assert certified(np.arange(20.0), np.arange(20) >= 0, PROMISE, LEVEL) == Passed()


def test_the_threshold_is_loosened_until_the_first_failure() -> None:
    scores = np.arange(200.0)
    found = certified(scores, scores >= 100, PROMISE, LEVEL)
    errors = 4  # of the cells 96 to 99
    assert found == Passed(96.0, 104, errors)
    assert max(binom.cdf(errors, 104, 0.1), binom.cdf(errors, 100, 0.1)) <= 0.025
    assert max(binom.cdf(5, 105, 0.1), binom.cdf(5, 100, 0.1)) > 0.025


def test_precision_alone_is_not_enough() -> None:
    """Everything filled as this value is 95% right, and all cells of the other class are missed."""
    scores = np.zeros(1000)
    right = np.arange(1000) >= 50
    assert certified(scores, right, PROMISE, LEVEL) == Passed()


def test_tied_scores_are_filled_together_or_not_at_all() -> None:
    scores = np.repeat([2.0, 1.0, 0.0], 100)
    right = np.concatenate([np.ones(100), np.arange(100) % 2, np.zeros(100)]) == 1
    assert certified(scores, right, PROMISE, LEVEL) == Passed(2.0, 100, 0)


def test_without_the_other_class_its_misses_are_unknown() -> None:
    assert certified(np.arange(500.0), np.ones(500, bool), PROMISE, LEVEL) == Passed()


def separable(images: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """One attribute, half present, that probabilities tell apart."""
    targets = (np.arange(images) % 2).astype(np.float32)[:, None]
    probabilities = np.where(targets == 1, 0.9, 0.1) + np.linspace(0, 0.05, images)[:, None]
    return targets, probabilities


def test_what_was_not_learned_is_never_filled() -> None:
    targets, probabilities = separable()
    (found,) = vouch(targets, probabilities, ("red",), np.arange(400), (), PROMISE)
    assert not found.fills
    assert found.reason == "there is no evidence that it was learned"
    (found,) = vouch(targets, probabilities, ("red",), np.arange(400), ("red",), PROMISE)
    assert found.fill(np.array([0.95, 0.8, 0.1])).tolist() == [1, -1, 0]
    assert found.reason == ""


def test_too_few_positives_are_said() -> None:
    targets, probabilities = separable(400)
    targets[40:][targets[40:] == 1] = -1  # 20 positives are left
    (found,) = vouch(targets, probabilities, ("red",), np.arange(400), ("red",), PROMISE)
    assert found.absent == -math.inf
    assert "never filled as absent, fewer than 32 photos are known to be present" in found.reason


def test_the_value_that_the_scarcer_class_binds_has_most_of_the_error_rate() -> None:
    assert PROMISE.levels(100, 900) == pytest.approx((0.035, 0.015))
    assert PROMISE.levels(900, 100) == pytest.approx((0.015, 0.035))
    assert sum(PROMISE.levels(7, 7)) == pytest.approx(0.05)
    # 0.9^32 = 0.034 is below the level of 0.035, 0.9^31 = 0.038 is not
    assert PROMISE.fewest(0.035) == 32


def test_copies_count_once() -> None:
    targets, probabilities = separable(400)
    groups = np.arange(400) // 20  # 20 groups of 20 copies
    (found,) = vouch(targets, probabilities, ("red",), groups, ("red",), PROMISE)
    assert found.positives + found.negatives == 20
    assert not found.fills


def test_no_cell_is_filled_against_its_own_probability() -> None:
    """Classes apart by far allow thresholds beyond one half, each of which would fill cells of the other."""
    targets = (np.arange(2000) < 1000).astype(np.float32)[:, None]
    probabilities = np.linspace(1, 0, 2000)[:, None]
    (found,) = vouch(targets, probabilities, ("red",), np.arange(2000), ("red",), PROMISE)
    assert found.absent < 0.5 <= found.present
    assert found.present - found.absent < 0.01


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        vouch(np.zeros((2, 1)), np.zeros((3, 1)), ("red",), np.arange(2), (), PROMISE)


@pytest.mark.parametrize("name", ["precision", "miss", "confidence"])
def test_a_promise_is_a_share(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must lie between 0 and 1"):
        Promise(**{name: 1.0})


def test_without_a_value_the_other_one_stays() -> None:
    found = Vouched("red", 0.9, 0.1, 50, 50)
    assert found.without(1, "why").present == math.inf
    assert found.without(1, "why").absent == 0.1
    assert found.without(0, "why").reason == "never filled as absent, why"
    assert found.without(0, "one").without(0, "two").reason == "never filled as absent, one"


@given(st.integers(0, 2**32 - 1), st.integers(40, 300), st.floats(0.55, 0.99))
def test_what_is_certified_passes_its_own_test(seed: int, cells: int, skill: float) -> None:
    generator = np.random.default_rng(seed)
    right = generator.random(cells) < 0.5
    scores = np.where(generator.random(cells) < skill, right, ~right) + generator.normal(0, 0.1, cells)
    found = certified(scores, right, PROMISE, LEVEL)
    taken = scores >= found.threshold
    assert (taken.sum(), (taken & ~right).sum()) == (found.cells, found.errors)
    if found.cells:
        assert binom.cdf(found.errors, found.cells, 0.1) <= 0.025
        assert binom.cdf(found.errors, (~right).sum(), 0.1) <= 0.025


@pytest.mark.parametrize(("center", "rare"), [(1.0, 0.5), (1.5, 0.2), (2.5, 0.5), (0.0, 0.5)])
def test_a_promise_is_broken_no_more_often_than_stated(center: float, rare: float) -> None:
    """Normal scores, whose true precision and miss share at any threshold are known."""
    generator, trials, broken = np.random.default_rng(7), 400, 0
    promise = Promise(precision=0.8, miss=0.1, confidence=0.9)
    for _ in range(trials):
        right = generator.random(600) < rare
        found = certified(generator.normal(np.where(right, center, -center), 2.0), right, promise, 0.05)
        if not found.cells:
            continue
        hit, miss = (_above(found.threshold, mean) for mean in (center, -center))
        precision = rare * hit / (rare * hit + (1 - rare) * miss)
        broken += precision < promise.precision or miss > promise.miss
    assert broken <= binom.ppf(0.999, trials, 0.05)  # its own level


def _above(threshold: float, mean: float) -> float:
    return 0.5 * math.erfc((threshold - mean) / 2.0 / math.sqrt(2))
