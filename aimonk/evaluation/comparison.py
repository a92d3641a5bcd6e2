"""Is the challenger at least as good as the champion? Paired comparison on the same images, and the gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from .bootstrap import resampled_metrics
from .evidence import Evidence
from .folds import fold_rankings
from .intervals import TAIL, UNDEFINED, Interval
from .permutation import collapse

MARGIN = 0.02
"""How much mean AP the challenger may be worse by, at the lower end of the 95% interval."""


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
    """Of the means, challenger less champion, with a paired 95% interval."""
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

    Both models meet the same bootstrap resamples, so what makes images hard for both cancels out. A
    difference may have either sign, hence its interval is the plain one, value -+ t * standard error, with
    Student's t for the duplicate groups of the rarer class.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        challenger_scores: `(N, L)`.
        champion_scores: `(N, L)`, for the same images and attributes.
        attributes: L names.
        groups: `(N,)` duplicate groups, resampled as a whole.
        resamples: of the bootstrap.
        seed: of its random draws.

    Raises:
        ValueError: shapes differ.
    """
    if not targets.shape == challenger_scores.shape == champion_scores.shape:
        raise ValueError(
            f"{targets.shape}, {challenger_scores.shape} and {champion_scores.shape} differ in shape"
        )
    once = np.ones((1, len(targets)))
    values, draws = [], []
    for scores in (challenger_scores, champion_scores):
        rankings = fold_rankings(targets, scores, None)
        values.append(np.array([ranking.both(once)[0][0] for ranking in rankings]))
        draws.append(resampled_metrics(rankings, groups, None, resamples, seed)[0])
    units = collapse(targets, challenger_scores, groups, None)
    rarer = np.minimum(units.positives, units.negatives)
    difference, drawn = values[0] - values[1], draws[0] - draws[1]
    # An attribute that a resample has no positive of keeps its difference there, so the mean does not jump.
    drawn = np.where(np.isfinite(drawn), drawn, difference)
    defined = np.isfinite(difference)
    return Comparison(
        attributes=tuple(
            AttributeComparison(
                name,
                float(values[0][j]),
                float(values[1][j]),
                _paired(difference[[j]], drawn[:, [j]], rarer[j]),
            )
            for j, name in enumerate(attributes)
        ),
        challenger=_mean(values[0][defined]),
        champion=_mean(values[1][defined]),
        difference=_paired(difference[defined], drawn[:, defined], rarer.max()),
        images=len(targets),
    )


def decide(challenger: Evidence, comparison: Comparison | None, margin: float = MARGIN) -> Decision:
    """Promote what has learned something and is not worse than the champion.

    "Not worse" is a non-inferiority test: the lower end of the paired 95% interval of the difference of mean
    AP must lie above -margin. Asking for a significant improvement would freeze a champion that small test
    sets cannot tell from its equals; asking only for no significant loss would let a clearly worse model pass
    for lack of data. The margin is absolute: 0.02 of mean AP, and 0 asks for a significant improvement.

    Args:
        challenger: its evidence.
        comparison: with the champion on the same images; None when there is no champion.
        margin: not negative.
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


def _paired(differences: np.ndarray, drawn: np.ndarray, units: int) -> Interval:
    """Mean over attributes of `(k,)` differences, with the spread of `(B, k)` resampled ones."""
    if differences.size == 0 or not np.isfinite(differences).all():
        return UNDEFINED
    value = float(differences.mean())
    reach = float(stdtrit(max(int(units) - 1, 1), 1 - TAIL) * np.std(drawn.mean(axis=1), ddof=1))
    return Interval(value, value - reach, value + reach)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
