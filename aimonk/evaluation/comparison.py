"""Is the challenger at least as good as the champion? Paired comparison on the same images, and the gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bootstrap import affordable_resamples, resampled_metrics, spread
from .evidence import Evidence
from .folds import fold_rankings
from .influence import Linearized, linearize_ap
from .intervals import UNDEFINED, Interval, student
from .metric_errors import MANY_GROUPS, metric_with_errors
from .units import collapse

MARGIN = 0.02
"""The challenger's mean AP may be lower by this much, at the lower end of the 95% interval."""


@dataclass(frozen=True)
class AttributeComparison:
    """Average precision of two models on the known images of one attribute; nan without both classes."""

    name: str
    challenger: float
    champion: float
    difference: Interval
    """Challenger less champion, with a paired 95% interval."""


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images; means are over the attributes that have both classes."""

    attributes: tuple[AttributeComparison, ...]
    challenger: float
    """Mean average precision."""
    champion: float
    difference: Interval
    """Difference of the means, challenger less champion, with a paired 95% interval."""
    images: int


@dataclass(frozen=True)
class Decision:
    """Whether the alias `champion` moves, and why, in one sentence."""

    promote: bool
    reason: str


def compare(
    targets: np.ndarray,
    challenger_scores: np.ndarray,
    champion_scores: np.ndarray,
    attributes: tuple[str, ...],
    groups: np.ndarray,
    *,
    resamples: int = 2_000,
    seed: int = 0,
) -> Comparison:
    """Compare average precision on images that neither model was trained on.

    The difference is paired: both models are judged on the same draws of groups, so what makes images hard
    for both cancels out. A difference may have either sign, so its interval is value -+ t * standard error,
    with Student's t for the groups of the rarer class. The standard error comes from bootstrap resamples
    where groups are few and from influences where they are many, as in `metric_errors`.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        challenger_scores: `(N, L)`.
        champion_scores: `(N, L)`, for the same images and attributes.
        attributes: L names.
        groups: `(N,)` numbers; images with equal ones are not independent and are drawn as a whole.
        resamples: of the bootstrap; fewer are drawn where images and attributes are many.
        seed: of its random draws.

    Raises:
        ValueError: shapes differ.
    """
    if not targets.shape == challenger_scores.shape == champion_scores.shape:
        raise ValueError(
            f"{targets.shape}, {challenger_scores.shape} and {champion_scores.shape} differ in shape"
        )
    both = (challenger_scores, champion_scores)
    units = collapse(targets, challenger_scores, groups, None)
    rarer = np.minimum(units.positives, units.negatives)
    few = np.flatnonzero(rarer < MANY_GROUPS)
    errors = np.full(len(attributes), np.nan)
    if few.size:
        count = affordable_resamples(resamples, len(targets), 2 * few.size)
        drawn = [_resampled_ap(targets[:, few], scores[:, few], groups, count, seed) for scores in both]
        errors[few] = spread(drawn[0] - drawn[1])
    values = np.empty((2, len(attributes)))

    def gap_of(columns: slice) -> Linearized:
        ours, theirs = (linearize_ap(targets[:, columns], scores[:, columns]) for scores in both)
        values[:, columns] = ours.values, theirs.values
        return Linearized(ours.values - theirs.values, ours.influence - theirs.influence)

    gap = metric_with_errors(gap_of, errors, groups, None)
    return Comparison(
        attributes=tuple(
            AttributeComparison(
                name,
                float(values[0, j]),
                float(values[1, j]),
                _paired(float(gap.values[j]), float(gap.errors[j]), int(rarer[j])),
            )
            for j, name in enumerate(attributes)
        ),
        challenger=_mean(values[0]),
        champion=_mean(values[1]),
        difference=_paired(gap.mean, gap.mean_error, int(rarer.max(initial=0))),
        images=len(targets),
    )


def decide(challenger: Evidence, comparison: Comparison | None, margin: float = MARGIN) -> Decision:
    """Promote a model that has learned something and is not worse than the champion.

    "Not worse" is a non-inferiority test: the lower end of the paired 95% interval of the difference of mean
    AP must lie above -margin. Asking for a significant improvement would keep a champion forever where test
    sets are too small to tell it from its equals. Asking only that there is no significant loss would let a
    clearly worse model pass for lack of data.

    Args:
        challenger: evidence of the challenger.
        comparison: with the champion on the same images; None when there is no champion.
        margin: of mean AP, absolute, not negative; 0 asks for a significant improvement.
    """
    count, total = len(challenger.learned), len(challenger.attributes)
    if count == 0:
        return Decision(
            False, f"Not promoted: there is no evidence that any of {total} attributes was learned."
        )
    if comparison is None:
        return Decision(
            True, f"Promoted: it learned {count} of {total} attributes and there is no champion yet."
        )
    gap = comparison.difference
    measured = (
        f"(mean AP {comparison.challenger:.3f} against {comparison.champion:.3f} "
        f"on {comparison.images} images, difference {gap.value:+.3f}, "
        f"95% interval {gap.low:+.3f} to {gap.high:+.3f})"
    )
    if not np.isfinite(gap.low):
        return Decision(
            False, "Not promoted: no attribute has both classes among the images of the comparison."
        )
    if gap.low > -margin:
        learned = f"it learned {count} of {total} attributes"
        return Decision(True, f"Promoted: {learned} and is not worse than the champion {measured}.")
    if gap.high < 0:
        return Decision(False, f"Not promoted: it is worse than the champion {measured}.")
    doubt = f"it may be worse than the champion by more than {margin:g}"
    return Decision(False, f"Not promoted: {doubt} {measured}.")


def _resampled_ap(
    targets: np.ndarray, scores: np.ndarray, groups: np.ndarray, resamples: int, seed: int
) -> np.ndarray:
    return resampled_metrics(fold_rankings(targets, scores, None), groups, None, resamples, seed)[0]


def _paired(value: float, error: float, units: int) -> Interval:
    if not np.isfinite(value):
        return UNDEFINED
    return Interval(value, value - student(units) * error, value + student(units) * error)


def _mean(values: np.ndarray) -> float:
    """Mean of the finite values; nan without any."""
    defined = np.isfinite(values)
    return float(values[defined].mean()) if defined.any() else float("nan")
