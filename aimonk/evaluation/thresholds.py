"""From probabilities to yes or no: a threshold per attribute, chosen on images that are not reported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.labels import MISSING
from ..threshold_rule import ThresholdRule, parse_rule
from .metrics import f_measure, ratio
from .units import group_weights

FALLBACK = 0.5


@dataclass(frozen=True)
class OperatingPoint:
    """One attribute at one threshold on held-out images, with the F1 that needs no model.

    Precision is nan where nothing is predicted, recall without a known positive, F1 without a known label.
    All of them count images.
    """

    name: str
    threshold: float
    """Of `(N, L)` thresholds the median of the column; in a training's answer the one that the model uses."""
    precision: float
    recall: float
    f1: float
    f1_at_half: float
    """F1 at the fixed threshold 0.5."""
    f1_always_yes: float
    """F1 of answering "present" for every image: 2 * prevalence / (1 + prevalence)."""


def choose_thresholds(
    targets: np.ndarray, probabilities: np.ndarray, rule: str, groups: np.ndarray | None = None
) -> np.ndarray:
    """Choose a threshold per attribute; an image has the attribute when its probability is not below it.

    * `f1`: the highest F1.
    * `precision>=P`: the highest recall among thresholds of at least that precision; where none has it, the
      highest precision.
    * `recall>=R`: the highest precision among thresholds of at least that recall.

    A threshold lies midway between adjacent probabilities. Of equally good ones the highest is taken.

    With groups, precision, recall and F1 count groups: the known images of a group share a weight of 1.
    Otherwise one patient with many images would set the threshold for all others.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        probabilities: `(N, L)` in [0, 1].
        rule: as `parse_rule` reads it.
        groups: `(N,)` numbers; images with equal ones are one group. None: each image counts once.

    Returns:
        `(L,) float64`; 0.5 for an attribute without a known positive or without a known negative.

    Raises:
        ValueError: the rule cannot be read.

    >>> choose_thresholds(np.array([[1.0], [0.0]]), np.array([[0.75], [0.25]]), "f1").tolist()
    [0.5]
    """
    parsed = parse_rule(rule)
    if parsed.kind == "fixed":
        return np.full(targets.shape[1], parsed.value)
    weights = group_weights(targets, groups)
    columns = range(targets.shape[1])
    return np.array([_choose(targets[:, j], probabilities[:, j], weights[:, j], parsed) for j in columns])


def operating_points(
    targets: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray, attributes: tuple[str, ...]
) -> tuple[OperatingPoint, ...]:
    """Precision, recall and F1 of every attribute at given thresholds, at 0.5, and for "always yes".

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        probabilities: `(N, L)`.
        thresholds: `(L,)`, or `(N, L)` where each fold has its own.
        attributes: L names.
    """
    known, present = targets != MISSING, targets == 1
    positives, labeled = present.sum(axis=0), known.sum(axis=0)
    chosen = known & (probabilities >= thresholds)
    half = known & (probabilities >= FALLBACK)
    hits, predicted = (chosen & present).sum(axis=0), chosen.sum(axis=0)
    columns = (
        np.median(np.atleast_2d(thresholds), axis=0),
        ratio(hits, predicted),
        ratio(hits, positives),
        np.where(labeled, f_measure(hits, predicted, positives), np.nan),
        np.where(labeled, f_measure((half & present).sum(axis=0), half.sum(axis=0), positives), np.nan),
        np.where(labeled, f_measure(positives, labeled, positives), np.nan),
    )
    return tuple(
        OperatingPoint(name, *(float(column[j]) for column in columns)) for j, name in enumerate(attributes)
    )


def _choose(
    targets: np.ndarray, probabilities: np.ndarray, weights: np.ndarray, rule: ThresholdRule
) -> float:
    known = np.flatnonzero(targets != MISSING)
    labels = targets[known] == 1
    if not 0 < np.count_nonzero(labels) < labels.size:
        return FALLBACK
    values = probabilities[known].astype(np.float64)
    order = np.argsort(-values, kind="stable")
    ranked, weight = values[order], weights[known][order]
    found, seen = np.cumsum(weight * labels[order]), np.cumsum(weight)
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # tied values are cut together
    best = _best(found[last], seen[last], float(found[-1]), rule)
    above = ranked[last[best]]
    below = ranked[last[best] + 1] if best + 1 < last.size else 0.0
    middle = (above + below) / 2
    return float(middle if below < middle else above)  # adjacent floats have nothing between them


def _best(hits: np.ndarray, predicted: np.ndarray, positives: float, rule: ThresholdRule) -> int:
    """Find the best cut, from the highest threshold down; argmax takes the first of equals."""
    precision = hits / predicted
    # Sums of weights such as 1/3 are not exact.
    slack = 1e-9 * positives
    if rule.kind == "f1":
        return int(np.argmax(hits / (predicted + positives)))
    if rule.kind == "recall":
        return int(np.argmax(np.where(hits >= rule.value * positives - slack, precision, -1)))
    allowed = hits >= rule.value * predicted - slack
    return int(np.argmax(np.where(allowed, hits, 0) if allowed.any() else precision))
