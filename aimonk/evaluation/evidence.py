"""Did it learn anything? Intervals, p-values and a verdict per attribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypedDict

import numpy as np

from .association import Association, associate
from .intervals import Interval
from .metric_errors import metric_intervals
from .multiple_testing import holm
from .units import Units, collapse

FEWEST = 10
"""With fewer groups of known positives, or of known negatives, there is no verdict. A group is an image with
its copies, or the images that the user put together."""


class _Counts(TypedDict):
    """The counts among the fields of `AttributeEvidence`."""

    positives: int
    negatives: int
    unknown: int
    positive_groups: int
    negative_groups: int
    too_few: Literal["images", "groups"] | None


class Verdict(StrEnum):
    """The answer for one attribute."""

    LEARNED = "learned"
    NO_EVIDENCE = "no evidence"
    TOO_FEW = "too few"


@dataclass(frozen=True)
class AttributeEvidence:
    """What the held-out images say about one attribute."""

    name: str
    positives: int
    """Images known to have it."""
    negatives: int
    ap: Interval
    auc: Interval
    p_value: float
    """Holm-corrected over the attributes that are not too few; nan for those that are."""
    p_raw: float
    """Not corrected; nan where the attribute is too few to be tested."""
    verdict: Verdict
    unknown: int = 0
    """Images whose label is missing."""
    positive_groups: int | None = None
    """Groups with a positive that the test uses: the verdict counts these, not images."""
    negative_groups: int | None = None
    too_few: Literal["images", "groups"] | None = None
    """What more is needed: `images` of the rarer class, or, where there are enough images of it, `groups` for
    them to come from. None unless the verdict is `too few`."""

    @property
    def prevalence(self) -> float:
        """The average precision of a model without skill."""
        known = self.positives + self.negatives
        return self.positives / known if known else float("nan")


@dataclass(frozen=True)
class Evidence:
    """The answer for a model. Means are over the attributes that have both classes."""

    attributes: tuple[AttributeEvidence, ...]
    mean_ap: Interval
    mean_auc: Interval
    images: int
    folds: int
    """0 for a single test set."""
    groups: int | None = None
    """Groups among the images; copies of one photo are one group."""

    @property
    def learned(self) -> tuple[str, ...]:
        """Names of the attributes with verdict `learned`."""
        return tuple(a.name for a in self.attributes if a.verdict is Verdict.LEARNED)

    @property
    def headline(self) -> str:
        """The verdict in one line, leading every summary."""
        count, total = len(self.learned), len(self.attributes)
        if count == 0:
            return f"NO EVIDENCE that anything was learned (0 of {total} attributes)"
        if count == total:
            return f"LEARNED all {total} attributes"
        return f"LEARNED {count} of {total} attributes"


def weigh_evidence(
    targets: np.ndarray,
    scores: np.ndarray,
    attributes: tuple[str, ...],
    groups: np.ndarray,
    folds: np.ndarray | None,
    *,
    permutations: int = 10_000,
    resamples: int = 2_000,
    alpha: float = 0.05,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Evidence:
    """Judge held-out scores, which neither training nor any choice may have seen.

    The unit is the group: copies of one photo, or images of one patient, camera or session. Labels may be
    constant within groups or vary. Intervals say how well these images measure these models; they do not
    include that other training images would have made other models. The p-values of folds do (see
    `association`).

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: `(N, L)` logits or probabilities; only their order within a fold matters.
        attributes: L names.
        groups: `(N,)` numbers; images with equal ones are not independent.
        folds: `(N,)` number of the fold whose model did not see the image; None for one test set.
        permutations: of the test where many scores are tied; all other p-values are computed.
        resamples: of the bootstrap; fewer are drawn, or none, where images are many (see `metric_errors`).
        alpha: family-wise error rate of the verdicts.
        seed: of all random draws; equal seeds give equal evidence.
        progress: called with (attributes tested, attributes).

    Raises:
        ValueError: shapes do not fit, a score is not finite, or a group lies in two folds.

    Example::

        evidence = weigh_evidence(targets, logits, ("collar", "scarf"), np.arange(len(targets)), folds)
        evidence.headline  # LEARNED 1 of 2 attributes
    """
    _check(targets, scores, attributes, groups, folds)
    if folds is not None and np.unique(folds).size < 2:
        folds = None
    units = collapse(targets, scores, groups, folds)
    rarer = np.minimum(units.positives, units.negatives)
    found = associate(units, targets, scores, groups, folds, rarer >= FEWEST, permutations, seed, progress)
    counts, unit_count = [_counts(units, targets, j) for j in range(len(attributes))], len(units.targets)
    del units  # as large as the scores
    intervals = metric_intervals(targets, scores, groups, folds, rarer, resamples, seed)
    corrected = holm(found.p_values)
    return Evidence(
        attributes=tuple(
            AttributeEvidence(
                name=name,
                ap=intervals.ap[j],
                auc=intervals.auc[j],
                p_value=float(corrected[j]),
                p_raw=float(found.p_values[j]),
                verdict=_verdict(found, corrected, alpha, j),
                **counts[j],
            )
            for j, name in enumerate(attributes)
        ),
        mean_ap=intervals.mean_ap,
        mean_auc=intervals.mean_auc,
        images=len(targets),
        folds=0 if folds is None else int(np.unique(folds).size),
        groups=unit_count,
    )


def _verdict(found: Association, corrected: np.ndarray, alpha: float, column: int) -> Verdict:
    if np.isnan(corrected[column]):
        return Verdict.TOO_FEW
    learned = found.statistics[column] > 0 and corrected[column] < alpha
    return Verdict.LEARNED if learned else Verdict.NO_EVIDENCE


def _counts(units: Units, targets: np.ndarray, column: int) -> _Counts:
    positives = int(np.count_nonzero(targets[:, column] == 1))
    negatives = int(np.count_nonzero(targets[:, column] == 0))
    positive_groups, negative_groups = int(units.positives[column]), int(units.negatives[column])
    few: Literal["images", "groups"] | None = None
    if min(positive_groups, negative_groups) < FEWEST:
        few = "images" if min(positives, negatives) < FEWEST else "groups"
    return _Counts(
        positives=positives,
        negatives=negatives,
        unknown=len(targets) - positives - negatives,
        positive_groups=positive_groups,
        negative_groups=negative_groups,
        too_few=few,
    )


def _check(
    targets: np.ndarray,
    scores: np.ndarray,
    attributes: tuple[str, ...],
    groups: np.ndarray,
    folds: np.ndarray | None,
) -> None:
    rows, columns = targets.shape
    if scores.shape != targets.shape or len(attributes) != columns or groups.shape != (rows,):
        raise ValueError(
            f"targets {targets.shape}, scores {scores.shape}, {len(attributes)} attributes and "
            f"groups {groups.shape} do not fit together"
        )
    if folds is not None and folds.shape != (rows,):
        raise ValueError(f"folds {folds.shape} do not fit {rows} images")
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite")
