"""The scores of images that a model was not trained or tuned on: one record, from the fit to the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..config import Config
from .comparison import Comparison, compare
from .evidence import Evidence, weigh_evidence
from .folds import pool_folds


@dataclass(frozen=True)
class HeldOutScores:
    """N images that neither training nor threshold choice saw, and what the model said of them.

    Columns are `attributes`. `images` are names, `digests` are hex SHA-256 of the files, `groups` are
    `(N,) int64` (equal numbers are images that are not independent), and `folds` are `(N,) int64` (all 0 for
    a single test set). `targets` is `(N, L) float32` with `MISSING`. `logits` are raw and `probabilities`
    calibrated, both `(N, L) float64`. `thresholds` `(N, L)` were chosen without the image in that row.
    """

    attributes: tuple[str, ...]
    images: tuple[str, ...]
    digests: tuple[str, ...]
    groups: np.ndarray
    folds: np.ndarray
    targets: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    thresholds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def rows_of(
        self, digests: Sequence[str], names: Sequence[str | None] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of a table whose image was held out, and its rows here, `(m,) int64` each.

        Args:
            digests: hex SHA-256 of the table's images; the same one may come several times.
            names: of the images. Copies of one image may have different labels, so of several rows with a
                digest the one of the same name is taken; else, and without names, the first.
        """
        row_of: dict[tuple[str, str | None], int] = {}
        for row, (digest, name) in enumerate(zip(self.digests, self.images, strict=True)):
            row_of.setdefault((digest, name), row)
            row_of.setdefault((digest, None), row)
        asked = zip(digests, names or [None] * len(digests), strict=True)
        found = [row_of.get(one, row_of.get((one[0], None))) for one in asked]
        theirs = [row for row, place in enumerate(found) if place is not None]
        return np.array(theirs, np.int64), np.array([found[row] for row in theirs], np.int64)

    @property
    def fold_numbers(self) -> np.ndarray | None:
        """The folds, or None for a single test set."""
        return self.folds if len(np.unique(self.folds)) > 1 else None

    def ranked(self) -> np.ndarray:
        """`(N, L) float64` scores that may be ranked across folds; 0 where the label is not known."""
        return np.asarray(np.nan_to_num(pool_folds(self.targets, self.probabilities, self.fold_numbers)))


def matching_rows(first: HeldOutScores, second: HeldOutScores) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the images that both hold out, `(M,) int64` into each, in the order of `first`.

    Images are matched by digest, and copies of one image by name, see `HeldOutScores.rows_of`.
    """
    return second.rows_of(first.digests, first.images)


def evidence_of(
    scores: HeldOutScores, config: Config, progress: Callable[[int, int], None] | None = None
) -> Evidence:
    """Weigh what held-out scores say of a model, under the settings of its run; see `weigh_evidence`."""
    evaluation = config.evaluation
    return weigh_evidence(
        scores.targets,
        scores.logits,
        scores.attributes,
        scores.groups,
        scores.fold_numbers,
        permutations=evaluation.permutations,
        resamples=evaluation.resamples,
        alpha=evaluation.alpha,
        seed=config.split.seed,
        progress=progress,
    )


def compare_scores(challenger: HeldOutScores, champion: HeldOutScores, config: Config) -> Comparison | None:
    """Compare two models on the images that both held out; None where there is no such image.

    Both must have the same attributes. The labels are those of the challenger.
    """
    ours, theirs = matching_rows(challenger, champion)
    if not len(ours):
        return None
    return compare(
        challenger.targets[ours],
        challenger.ranked()[ours],
        champion.ranked()[theirs],
        challenger.attributes,
        challenger.groups[ours],
        resamples=config.evaluation.resamples,
        seed=config.split.seed,
    )
