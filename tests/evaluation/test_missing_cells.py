"""Which missing labels are filled, and when so few are that none is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import hypergeom

from aimonk.evaluation.held_out import HeldOutScores
from aimonk.evaluation.missing_cells import (
    fill_missing,
    keeps_precision,
    vouch_for_table,
)
from aimonk.evaluation.vouching import Passed, Promise, Vouched

PROMISE = Promise(0.9, 0.1, 0.95)


def attribute(name: str = "red", cells: int = 1000, errors: int = 0) -> Vouched:
    passed = Passed(0.5, cells, errors)
    return Vouched(name, 0.9, 0.1, 500, 500, (passed, passed))


def held_out(digests: str) -> HeldOutScores:
    n = len(digests)
    numbers, matrix = np.arange(n), np.zeros((n, 1))
    return HeldOutScores(
        ("red",), tuple(digests), tuple(digests), numbers, numbers, matrix, matrix, matrix, matrix
    )


def test_only_missing_cells_beyond_a_threshold_are_filled() -> None:
    probabilities = np.array([[0.95], [0.95], [0.5], [0.05], [np.nan]])
    missing = np.array([[False], [True], [True], [True], [True]])
    filled, kept = fill_missing(missing, probabilities, (attribute(),), PROMISE)
    assert filled.ravel().tolist() == [-1, 1, -1, 0, -1]
    assert kept == (attribute(),)


def test_a_few_cells_are_not_filled_where_one_error_would_break_the_promise() -> None:
    """10 filled cells allow one error of 10%; with 20 errors in 300 known cells, two are too likely."""
    missing, probabilities = np.ones((10, 1), bool), np.full((10, 1), 0.95)
    filled, (kept,) = fill_missing(missing, probabilities, (attribute(cells=300, errors=20),), PROMISE)
    assert (filled == -1).all()
    assert kept.present == np.inf
    assert kept.absent == 0.1  # nothing is filled as absent, so nothing can be wrong
    assert (
        kept.reason
        == "never filled as present, so few are filled that one error more would break the promise"
    )


def test_the_bound_is_the_hypergeometric_one() -> None:
    assert hypergeom.cdf(0, 410, 1, 400) < 0.025 * 1.01 and keeps_precision(400, 0, 10, Promise(0.95))
    assert not keeps_precision(400, 3, 10, Promise(0.95))
    assert keeps_precision(400, 3, 100, Promise(0.95))
    assert keeps_precision(0, 0, 0, Promise(0.95))


def test_images_are_found_by_content() -> None:
    ours, theirs = held_out("abca").rows_of(("x", "c", "a", "a"))
    assert ours.tolist() == [1, 2, 3]
    assert theirs.tolist() == [2, 0, 0]


def test_copies_of_an_image_are_told_apart_by_name() -> None:
    """Their labels may differ. Without a name, or with an unknown one, the first copy is taken."""
    scores = replace(held_out("abca"), images=("one", "two", "three", "four"))
    ours, theirs = scores.rows_of(("a", "a", "a", "x", "b"), ("four", "one", "new", "one", "four"))
    assert ours.tolist() == [0, 1, 2, 4]
    assert theirs.tolist() == [3, 0, 0, 1]
    assert scores.rows_of(("a",), (None,))[1].tolist() == [0]


def test_thresholds_come_from_the_present_labels_of_held_out_images() -> None:
    digests = tuple(map(str, range(300)))
    targets = (np.arange(300) % 2).astype(np.float32)[:, None]
    numbers, probabilities = np.arange(200), np.where(targets[:200] == 1, 0.9, 0.1)
    scores = HeldOutScores(
        ("red",), digests[:200], digests[:200], numbers, numbers,
        np.full((200, 1), -1.0), probabilities, probabilities, probabilities,
    )  # fmt: skip
    (found,) = vouch_for_table(scores, digests, targets, np.arange(300), ("red",), PROMISE, 0)
    assert (found.positives, found.negatives) == (100, 100)
    assert (found.present, found.absent) == (0.9, 0.1)
