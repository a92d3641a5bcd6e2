"""A training on corrected labels compared with the one whose scores were reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data.dataset import Dataset
from ..data.labels import MISSING
from ..data.split import straddling
from ..errors import ModelError, TrackingError
from ..evaluation.held_out import HeldOutScores
from ..progress import LOGGER
from ..tracking.predictions_table import read_predictions
from .answer_book import Answer
from .review_record import find_record
from .reviewed_cells import RunComparison, compare_runs, reviewed_cells


@dataclass(frozen=True)
class ReviewedTraining:
    """The training that was reviewed: its held-out scores under its own labels, and the answers."""

    run: str
    scores: HeldOutScores
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class AfterReview:
    """What a training on corrected labels has gained."""

    run: str
    """The training that was reviewed."""
    changed: int
    """Labels of its held-out images that differ now."""
    same_folds: bool
    """Whether both trainings held out the same images together."""
    comparison: RunComparison


def reviewed_training(labels: Path) -> ReviewedTraining | None:
    """Find the training that the labels were reviewed with; see `find_record`.

    A training that is not in this tracking store is warned of.

    Raises:
        LabelsError: the note beside the labels cannot be read.
    """
    record = find_record(labels)
    if record is None:
        return None
    try:
        return ReviewedTraining(record.run, read_predictions(record.run), record.answers)
    except (ModelError, TrackingError) as error:
        LOGGER.warning(
            "The labels were reviewed with run %s, which cannot be compared: %s", record.run, error
        )
        return None


def same_folds(former: ReviewedTraining, dataset: Dataset, folds: int) -> np.ndarray | None:
    """`(N,)` numbers of the former training's folds; None where they do not divide these images.

    Args:
        former: the training that was reviewed.
        dataset: the images to train on.
        folds: how many are wanted.
    """
    ours, theirs = former.scores.rows_of(dataset.digests)
    numbers = former.scores.folds[theirs]
    if len(ours) < len(dataset) or len(np.unique(numbers)) != folds or folds < 2:
        return None
    apart = straddling(dataset.groups, *(np.flatnonzero(numbers == fold) for fold in np.unique(numbers)))
    return None if apart else np.unique(numbers, return_inverse=True)[1]


def compare_with_reviewed(
    former: ReviewedTraining, dataset: Dataset, scores: HeldOutScores
) -> AfterReview | None:
    """Compare two trainings on the images that both held out, under the old and the new labels.

    None where no label differs on what both held out.

    Args:
        former: the training that was reviewed.
        dataset: the corrected labels.
        scores: what the new training says of images that it held out.
    """
    ours = former.scores
    old = _aligned(ours, dataset, ours.targets)
    earlier = _aligned(ours, dataset, ours.probabilities)
    later = _aligned(scores, dataset, scores.probabilities)
    both = np.isfinite(earlier) & np.isfinite(later)
    changed = int(np.count_nonzero(both & (old != dataset.targets)))
    if not changed:
        return None
    before = np.where(np.isfinite(old), old, MISSING).astype(np.float32)
    cells = reviewed_cells(dataset, former.answers, before)
    comparison = compare_runs(dataset, cells, earlier, later, corrected=dataset.targets)
    return AfterReview(former.run, changed, _held_out_together(ours, scores), comparison)


def _aligned(scores: HeldOutScores, dataset: Dataset, values: np.ndarray) -> np.ndarray:
    """`(N, L) float64`: values of held-out images in the order of the data set; nan where there is none."""
    found = np.full(dataset.targets.shape, np.nan)
    ours, theirs = scores.rows_of(dataset.digests, dataset.names)
    for column, name in enumerate(dataset.attributes):
        if name in scores.attributes:
            found[ours, column] = values[theirs, scores.attributes.index(name)]
    return found


def _held_out_together(first: HeldOutScores, second: HeldOutScores) -> bool:
    """Whether both hold out the same images, in the same folds by whatever number."""
    ours, theirs = second.rows_of(first.digests, first.images)
    if not len(ours) == len(first) == len(second):
        return False
    pairs = set(zip(first.folds[ours].tolist(), second.folds[theirs].tolist(), strict=True))
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})
