"""The losses of `training.losses` in NumPy, each with its derivative: no TensorFlow for a linear probe.

A cell is one image and one attribute. For its logit x let t be the logit of the wrong answer: t = -x for a
positive and t = x for a negative or an unknown label. With s(t) = 1 / (1 + exp(-t)) every cross-entropy with
a focus g and a weight a is

    c(t)  = a s(t)^g softplus(t)
    c'(t) = a s(t)^g (s(t) + g (1 - s(t)) softplus(t))

because softplus' = s and (s^g)' = g s^g (1 - s). The derivative by x is c'(t) times the sign of t. With g = 0
this is cross-entropy: c' = a s(t). The asymmetric loss shifts the probability of negatives, see there.

Definitions and sources of the four losses are in `training.losses`, which fine-tuning uses; a test holds each
pair to the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...data.labels import MISSING

Cells = tuple[np.ndarray, np.ndarray]
"""Losses and their derivatives by the logit, each `(B, L)`, 0 for a cell that does not count."""
CellLoss = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Cells]
"""`(targets (B, L), logits (B, L), pos_weight (L,), prevalence (L,)) -> Cells`."""

FOCAL_GAMMA = 2.0
ASYMMETRIC_GAMMA = 4.0
ASYMMETRIC_SHIFT = 0.05
PARTIAL_GAMMA = 1.0
PARTIAL_GAMMA_UNKNOWN = 2.0
PARTIAL_COMMON = 0.5
"""The defaults of `training.losses`, and of the papers named there."""


def weighted_bce(
    targets: np.ndarray, logits: np.ndarray, pos_weight: np.ndarray, prevalence: np.ndarray
) -> Cells:
    """Binary cross-entropy whose positives weigh `pos_weight`.

    >>> weighted_bce(np.array([[1.0, 0.0, -1.0]]), np.zeros((1, 3)), np.full(3, 2.0), np.full(3, 0.5))[1]
    array([[-1. ,  0.5,  0. ]])
    """
    # As `_cross_entropy_parts`, in place and without masks, in half of the time: every epoch waits for it.
    weight = np.maximum(targets, 0)
    sign = 1 - 2 * weight
    t = sign * logits
    np.minimum(t, np.finfo(t.dtype).max, out=t)  # infinity times the weight 0 is no number
    rest = np.abs(t)
    np.exp(np.negative(rest, out=rest), out=rest)
    rest += 1
    np.reciprocal(rest, out=rest)  # 1 / (1 + exp(-|t|)), so that s(t) = exp(min(t, 0)) rest
    slopes = np.minimum(t, 0)
    np.exp(slopes, out=slopes)
    slopes *= rest
    losses = np.maximum(t, 0, out=t)
    losses -= np.log(rest, out=rest)
    weight *= pos_weight - 1
    weight += 1
    weight *= targets >= 0
    losses *= weight
    slopes *= weight
    slopes *= sign
    return losses, slopes


def focal(targets: np.ndarray, logits: np.ndarray, pos_weight: np.ndarray, prevalence: np.ndarray) -> Cells:
    """Cross-entropy focused on what is wrong: g = 2 for positives and negatives."""
    return _cross_entropy(targets, logits, pos_weight, FOCAL_GAMMA)


def asymmetric(
    targets: np.ndarray, logits: np.ndarray, pos_weight: np.ndarray, prevalence: np.ndarray
) -> Cells:
    """Cross-entropy of positives; of negatives `-r^g log(1 - r)` with r = max(p - shift, 0), g = 4.

    Where p > shift, dr/dx = p (1 - p), so the derivative is
    p (1 - p) r^(g - 1) (r / (1 - r) - g log(1 - r)); below the shift both are 0.
    """
    positive, losses, slopes = _cross_entropy_parts(targets, logits, pos_weight)
    p = _sigmoid(logits)
    r = np.maximum(p - ASYMMETRIC_SHIFT, 0)
    entropy = -np.log1p(-r)
    before = r ** (ASYMMETRIC_GAMMA - 1)
    negative_losses = before * r * entropy
    negative_slopes = p * (1 - p) * before * (r / (1 - r) + ASYMMETRIC_GAMMA * entropy)
    known = targets >= 0
    return (
        np.where(known, np.where(positive, losses, negative_losses), 0),
        np.where(known, np.where(positive, slopes, negative_slopes), 0),
    )


def partial_asymmetric(
    targets: np.ndarray, logits: np.ndarray, pos_weight: np.ndarray, prevalence: np.ndarray
) -> Cells:
    """Cross-entropy of positives; of negatives with g = 1; of unknown labels that count with g = 2.

    An unknown label counts if its attribute is not common and its logit is not among the largest quarter (at
    least one) of the image. Which labels count is constant almost everywhere, so it adds nothing to the
    derivative.
    """
    unknown = targets == MISSING
    largest = max(logits.shape[-1] // 4, 1)
    least = np.partition(logits, -largest, axis=-1)[..., -largest, None]
    counted = (targets >= 0) | (unknown & (logits < least) & (prevalence <= PARTIAL_COMMON))
    focus = np.where(targets > 0, 0.0, np.where(unknown, PARTIAL_GAMMA_UNKNOWN, PARTIAL_GAMMA))
    _, losses, slopes = _cross_entropy_parts(targets, logits, pos_weight, focus.astype(logits.dtype))
    return np.where(counted, losses, 0), np.where(counted, slopes, 0)


CELL_LOSSES: Mapping[str, CellLoss] = {
    "weighted_bce": weighted_bce,
    "focal": focal,
    "asymmetric": asymmetric,
    "partial_asymmetric": partial_asymmetric,
}
"""The losses by their name in `training.loss`."""


def _cross_entropy(targets: np.ndarray, logits: np.ndarray, pos_weight: np.ndarray, focus: float) -> Cells:
    """The loss and its derivative for known cells, 0 for the others."""
    known = targets >= 0
    _, losses, slopes = _cross_entropy_parts(targets, np.where(known, logits, 0), pos_weight, focus)
    return np.where(known, losses, 0), np.where(known, slopes, 0)


def _cross_entropy_parts(
    targets: np.ndarray, logits: np.ndarray, pos_weight: np.ndarray, focus: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which cells are positive, and c(t) and its derivative by x for all of them."""
    positive = targets > 0
    t = np.where(positive, -logits, logits)
    # exp(-|t|) never overflows, and gives both: softplus(t) = max(t, 0) + log(1 + e).
    e = np.exp(-np.abs(t))
    entropy = np.maximum(t, 0) + np.log1p(e)
    wrong = np.where(t >= 0, 1, e) / (1 + e)
    losses, slopes = entropy, wrong
    if np.any(focus):
        factor = np.exp(focus * (t - entropy))  # log s(t) = t - softplus(t)
        losses, slopes = factor * entropy, factor * (wrong + focus * (1 - wrong) * entropy)
    weight = np.where(positive, pos_weight, 1)
    return positive, weight * losses, np.where(positive, -weight, weight) * slopes


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1, e) / (1 + e))
