"""Trainings on growing shares of the groups: the points of a learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import Config
from ..data.dataset import Dataset
from ..data.split import Split
from ..evaluation.cross_validation import FoldLogits, score_fold
from ..evaluation.held_out import HeldOutScores
from ..evaluation.learning_curve import FEWEST_POINTS, LearningCurve, learning_curve
from ..progress import ProgressCallback, tell
from .learner import Learner

SHARES = (0.15, 0.25, 0.4, 0.65)
"""Of the groups that a full training has; the full training is the last point."""
FEWEST_IMAGES = 40
"""A training on fewer images says nothing of the curve."""
MANY_CELLS = 1_000_000
"""Images times attributes: from here on the trainings take minutes, so they are made only when asked for."""


@dataclass(frozen=True)
class Point:
    """Held-out logits after trainings on a part of the images.

    `logits` is `(N, L)`, in the order of the test images of all parts, sorted; `images` is the mean number of
    images that a training and its early stopping took.
    """

    images: float
    logits: np.ndarray


def measure_curve(
    learner: Learner,
    dataset: Dataset,
    parts: Sequence[FoldLogits],
    scores: HeldOutScores,
    config: Config,
    progress: ProgressCallback | None = None,
) -> LearningCurve | None:
    """Return the learning curve of a training; None where the settings want none or images are too few.

    Args:
        learner: prepared for the data set.
        dataset: what was trained on.
        parts: the full training of each fold, or of the one split.
        scores: the held-out scores that were made of them.
        config: see `evaluation.learning_curve`.
        progress: called with (trainings done, trainings).

    """
    wanted = config.evaluation.learning_curve
    if wanted == "auto":
        wanted = config.training.mode == "frozen"
        if wanted and dataset.targets.size > MANY_CELLS:
            wanted = False
            tell("No learning curve for so many labels; --set evaluation.learning_curve=true measures it.")
    if not wanted:
        return None
    points = grow(learner, dataset, parts, config.split.seed, progress)
    if len(points) < FEWEST_POINTS:
        return None
    return learning_curve(
        scores.targets,
        [point.logits for point in points],
        [point.images for point in points],
        scores.attributes,
        scores.groups,
        scores.fold_numbers,
        seed=config.split.seed,
    )


def grow(
    learner: Learner,
    dataset: Dataset,
    parts: Sequence[FoldLogits],
    seed: int,
    progress: ProgressCallback | None = None,
) -> tuple[Point, ...]:
    """Train on growing shares of each part's training and validation images, and score its test images.

    The shares are nested: a larger one holds the smaller ones. Groups are drawn at random, so that copies are
    trained on together or not at all.

    Args:
        learner: prepared for the data set.
        dataset: whose groups are drawn.
        parts: the full training of each fold, or of the one split; its logits are the last point.
        seed: of the draw of groups.
        progress: called with (trainings done, trainings).

    Returns:
        Points in ascending order of size; one where there are too few images for a smaller one.

    """
    shares = [share for share in SHARES if _images(parts, share) >= FEWEST_IMAGES]
    points = []
    for place, share in enumerate(shares):
        found = []
        for number, part in enumerate(parts):
            split = thinned(part.split, dataset.groups, share, [seed, number])
            found.append(score_fold(learner.fit(split), split))
            if progress:
                progress(place * len(parts) + number + 1, len(shares) * len(parts))
        points.append(_point(found))
    return (*points, _point(parts))


def thinned(split: Split, groups: np.ndarray, share: float, seed: Sequence[int]) -> Split:
    """Return the split with a share of the groups of its training and validation images.

    >>> split = Split(np.arange(8), np.arange(8, 10), np.arange(10, 12))
    >>> len(thinned(split, np.arange(12), 0.5, [0]).train) + len(thinned(split, np.arange(12), 0.5,
    [0]).validation) 5
    """
    rest = np.concatenate([split.train, split.validation])
    order = np.random.default_rng(list(seed)).permutation(np.unique(groups[rest]))
    kept = order[: max(1, round(share * len(order)))]

    def part(rows: np.ndarray) -> np.ndarray:
        return rows[np.isin(groups[rows], kept)]

    return Split(part(split.train), part(split.validation), split.test)


def _images(parts: Sequence[FoldLogits], share: float) -> float:
    return share * float(np.mean([len(part.split.train) + len(part.split.validation) for part in parts]))


def _point(parts: Sequence[FoldLogits]) -> Point:
    rows = np.concatenate([part.split.test for part in parts])
    logits = np.concatenate([np.asarray(part.test, dtype=np.float64) for part in parts])
    images = _images(parts, 1.0)
    return Point(images, logits[np.argsort(rows, kind="stable")])
