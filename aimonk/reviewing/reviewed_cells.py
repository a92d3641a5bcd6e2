"""The journal's answers as matrices, and two runs compared under the labels of a review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..data.dataset import Dataset
from ..data.labels import MISSING
from ..evaluation.comparison import Comparison, compare
from ..evaluation.review_bias import ReviewedCells, ReviewedComparison, compare_reviewed
from .answer_book import Answer

_VALUE = {"present": 1.0, "absent": 0.0, "unclear": MISSING}


@dataclass(frozen=True)
class RunComparison:
    """A later run compared with an earlier one, on the images that both scored.

    The first two are mean AP with paired intervals over images. What the reviewers corrected depends on the
    earlier run, so `corrected` favors it; only `right` is free of that.
    """

    given: Comparison
    """Under the labels before the review."""
    corrected: Comparison
    """Under the labels after it."""
    right: ReviewedComparison
    """Over all cells under the right labels, estimated from the controls."""


def reviewed_cells(
    dataset: Dataset, answers: Iterable[Answer], targets: np.ndarray | None = None
) -> ReviewedCells:
    """Return the answers that stand as matrices; answers about other images or attributes are left out.

    Args:
        dataset: N images and L attributes.
        answers: one for each cell, such as `AnswerBook.latest()`.
        targets: `(N, L)` labels before the review; by default those of the data set.
    """
    before = dataset.targets if targets is None else targets
    rows = {name: row for row, name in enumerate(dataset.names)}
    columns = {name: column for column, name in enumerate(dataset.attributes)}
    found = np.full(dataset.targets.shape, np.nan)
    controls = np.zeros(dataset.targets.shape, dtype=bool)
    for one in answers:
        if one.answer in _VALUE and one.image in rows and one.attribute in columns:
            at = rows[one.image], columns[one.attribute]
            found[at] = _VALUE[one.answer]
            controls[at] = one.control and not one.doubted
    return ReviewedCells(before, found, controls)


def compare_runs(
    dataset: Dataset,
    cells: ReviewedCells,
    earlier: np.ndarray,
    later: np.ndarray,
    reviewer_error: float = 0.0,
    corrected: np.ndarray | None = None,
) -> RunComparison:
    """Compare two runs.

    Args:
        dataset: N images and L attributes.
        cells: the review.
        earlier: `(N, L)` probabilities of the run that was reviewed; nan where there is none.
        later: likewise, of the run that it is compared with.
        reviewer_error: see `reviewed_precision`.
        corrected: `(N, L)` labels after the review; by default those before it with the answers in them.
    """
    both = np.isfinite(earlier) & np.isfinite(later)
    if corrected is None:
        corrected = np.where(np.isnan(cells.answers), cells.targets, cells.answers)

    def under(targets: np.ndarray) -> Comparison:
        known = np.where(both, targets, MISSING).astype(np.float32)
        new, old = np.nan_to_num(later), np.nan_to_num(earlier)
        return compare(known, new, old, dataset.attributes, dataset.groups)

    right = compare_reviewed(cells, earlier, later, reviewer_error=reviewer_error)
    return RunComparison(under(cells.targets), under(corrected), right)
