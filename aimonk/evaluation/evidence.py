"""Did it learn anything? Intervals, p-values and a verdict per attribute."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .bootstrap import resampled_metrics
from .folds import fold_rankings
from .intervals import Interval, ap_interval, auc_interval, mean_interval
from .permutation import Units, collapse, holm, permutation_p_values

FEWEST = 10
"""Fewer known positives or negatives (duplicates counted once) than this are too few for a verdict."""


class Verdict(StrEnum):
    """The answer for one attribute."""

    LEARNED = "learned"
    NO_EVIDENCE = "no evidence"
    TOO_FEW = "too few"


@dataclass(frozen=True)
class AttributeEvidence:
    """What the held-out images say of one attribute."""

    name: str
    positives: int
    negatives: int
    ap: Interval
    auc: Interval
    p_value: float
    """Holm-corrected over the attributes that are not too few; nan for those that are."""
    p_raw: float
    verdict: Verdict

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
) -> Evidence:
    """Judge held-out scores, which neither training nor any choice may have seen.

    Intervals tell how well these images measure these models; that other training images would have made
    other models is not in them. The p-values of folds do allow for it (see `permutation`).

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: `(N, L)` logits or probabilities; only their order within a fold matters.
        attributes: L names.
        groups: `(N,)` duplicate groups: equal numbers are one photo.
        folds: `(N,)` number of the fold whose model did not see the image; None for one test set.
        permutations: of the test; the smallest p-value is 1 / (permutations + 1).
        resamples: of the bootstrap.
        alpha: family-wise error rate of the verdicts.
        seed: of all random draws; equal seeds give equal evidence.

    Raises:
        ValueError: shapes do not fit, a score is not finite, or a duplicate group lies in two folds.
    """
    _check(targets, scores, attributes, groups, folds)
    if folds is not None and np.unique(folds).size < 2:
        folds = None
    units = collapse(targets, scores, groups, folds)
    raw, association = permutation_p_values(units, permutations, seed)
    verdicts, corrected = _judge(units, raw, association, alpha)
    rarer = np.minimum(units.positives, units.negatives)
    rankings = fold_rankings(targets, scores, folds)
    once = np.ones((1, len(targets)))
    ap, auc = (np.array(values)[:, 0] for values in zip(*(r.both(once) for r in rankings), strict=True))
    ap_draws, auc_draws = resampled_metrics(rankings, groups, folds, resamples, seed)
    positives, negatives = np.sum(targets == 1, axis=0), np.sum(targets == 0, axis=0)
    return Evidence(
        attributes=tuple(
            AttributeEvidence(
                name=name,
                positives=int(positives[j]),
                negatives=int(negatives[j]),
                ap=ap_interval(float(ap[j]), ap_draws[:, j], int(rarer[j])),
                auc=auc_interval(
                    float(auc[j]), auc_draws[:, j], int(rarer[j]), int(positives[j] * negatives[j])
                ),
                p_value=float(corrected[j]),
                p_raw=float(raw[j]),
                verdict=verdicts[j],
            )
            for j, name in enumerate(attributes)
        ),
        mean_ap=mean_interval(ap, ap_draws, int(rarer.max())),
        mean_auc=mean_interval(auc, auc_draws, int(rarer.max())),
        images=len(targets),
        folds=0 if folds is None else int(np.unique(folds).size),
    )


def _judge(
    units: Units, raw: np.ndarray, association: np.ndarray, alpha: float
) -> tuple[list[Verdict], np.ndarray]:
    enough = np.minimum(units.positives, units.negatives) >= FEWEST
    corrected = holm(np.where(enough, raw, np.nan))
    learned = enough & (association > 0) & (corrected < alpha)
    verdicts = np.select([~enough, learned], [Verdict.TOO_FEW, Verdict.LEARNED], Verdict.NO_EVIDENCE)
    return [Verdict(verdict) for verdict in verdicts], corrected


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
