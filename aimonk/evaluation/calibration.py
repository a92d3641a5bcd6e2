"""Calibrated probabilities: of the images scored 0.8, 80% have the attribute, whatever pos_weight did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ..data.labels import MISSING
from .metrics import CHUNK_CELLS
from .units import group_weights

SCALE_PRIOR = 1.0
"""Weight of (scale - 1)^2 / 2: about as much as one image with a logit of 2."""
SHIFT_PRIOR = 0.01
"""Weight of shift^2 / 2; weak, since pos_weight shifts logits by log(pos_weight)."""
SMALLEST_SCALE = 1e-3
"""Keeps the order of the scores where they carry no signal or a reversed one."""
STEPS = 50
HALVINGS = 40
TOLERANCE = 1e-9
"""Newton's method ends for an attribute whose step is shorter."""
ROUNDING = 1e-11
"""Of a loss that is a sum over many images."""


@dataclass(frozen=True)
class Calibration:
    """Platt's map per attribute: `logit -> scale * logit + shift`; both `(L,) float64`, scale > 0."""

    scale: np.ndarray
    shift: np.ndarray

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """`(N, L)` logits to calibrated logits, `(N, L) float64`."""
        return np.asarray(self.scale * logits + self.shift)


def fit_calibration(targets: np.ndarray, logits: np.ndarray, groups: np.ndarray | None = None) -> Calibration:
    """Fit Platt's map on images that the model was not trained on.

    Minimizes, per attribute, the cross-entropy to Platt's (1999, "Probabilistic outputs for support vector
    machines") smoothed targets, (P + 1) / (P + 2) for P positives and 1 / (Q + 2) for Q negatives, plus a
    weak prior toward scale 1 and shift 0. Without the prior a rare attribute that is perfectly separated by
    chance would be stretched as far as the smoothed targets allow.

    With groups, the known images of a group share a weight of 1 in the cross-entropy and in P and Q: forty
    views of one patient are not forty independent labels.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        logits: `(N, L)`.
        groups: `(N,)` numbers; images with equal ones are one group. None: each image counts once.

    Returns:
        The map; scale 1 and shift 0 for an attribute without a known positive or a known negative.
    """
    scale, shift = np.ones(targets.shape[1]), np.zeros(targets.shape[1])
    # A few columns at a time, so that Newton's intermediate results stay small.
    width = max(1, CHUNK_CELLS // max(1, len(targets)))
    for begin in range(0, targets.shape[1], width):
        columns = slice(begin, begin + width)
        scale[columns], shift[columns] = _fit(targets[:, columns], logits[:, columns], groups)
    return Calibration(scale, shift)


def _fit(targets: np.ndarray, logits: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    weights = group_weights(targets, groups)
    positives, negatives = (weights * (targets == 1)).sum(axis=0), (weights * (targets == 0)).sum(axis=0)
    smooth = np.where(targets == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    problem = _Problem(np.where(targets != MISSING, logits, 0.0).astype(np.float64), smooth, weights)
    scale, shift = problem.solve(np.ones(targets.shape[1], dtype=bool))
    # The problem is convex: where its minimum has too small a scale, the constrained one is on the bound.
    bound = scale < SMALLEST_SCALE
    if bound.any():
        scale, shift = problem.solve(~bound)
    both = (positives > 0) & (negatives > 0)
    return np.where(both, scale, 1.0), np.where(both, shift, 0.0)


def expected_calibration_error(targets: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> np.ndarray:
    """Mean distance between the predicted and the true share of positives, over bins of equally many images.

    Bins of equal width would put nearly all images of a rare attribute into one bin. Equal probabilities are
    kept in one bin, so there may be fewer bins.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        probabilities: `(N, L)`.
        bins: the largest number of bins.

    Returns:
        `(L,) float64` in [0, 1]; nan where no label is known.
    """
    errors = np.full(targets.shape[1], np.nan)
    for j in range(targets.shape[1]):
        known = targets[:, j] != MISSING
        if known.any():
            errors[j] = _calibration_error(
                targets[known, j], probabilities[known, j].astype(np.float64), bins
            )
    return errors


def _calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int) -> float:
    edges = np.unique(np.quantile(probabilities, np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(edges, probabilities, side="left")
    gap = np.bincount(place, weights=probabilities - labels, minlength=edges.size + 1)
    return float(np.abs(gap).sum() / labels.size)


@dataclass(frozen=True)
class _Problem:
    """Newton's method for all attributes at once: `(N, L)` logits, smoothed targets and weights."""

    logits: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def columns(self, chosen: np.ndarray) -> _Problem:
        """The same for some attributes; `chosen` is a mask or indices."""
        return _Problem(self.logits[:, chosen], self.targets[:, chosen], self.weights[:, chosen])

    def solve(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale and shift, `(L,)` each; the scale is held at its bound where `free` is False."""
        scale = np.where(free, 1.0, SMALLEST_SCALE)
        shift = np.zeros(free.size)
        loss = self.loss(scale, shift)
        active, problem = np.arange(free.size), self
        for _ in range(STEPS):
            by_scale, by_shift = problem.newton(scale[active], shift[active], free[active])
            moving = np.maximum(np.abs(by_scale), np.abs(by_shift)) >= TOLERANCE
            if not moving.all():
                active, problem = active[moving], problem.columns(moving)
                by_scale, by_shift = by_scale[moving], by_shift[moving]
            if not active.size:
                break
            length, loss[active] = problem.descend(
                scale[active], shift[active], by_scale, by_shift, loss[active]
            )
            scale[active] -= length * by_scale
            shift[active] -= length * by_shift
        return scale, shift

    def newton(self, scale: np.ndarray, shift: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the step H^-1 g of the 2 x 2 Hessian; a held scale does not move."""
        probability = expit(scale * self.logits + shift)
        error = self.weights * (probability - self.targets)
        weight = self.weights * probability * (1 - probability)
        weighted = weight * self.logits
        g0 = np.where(free, _dots(error, self.logits) + SCALE_PRIOR * (scale - 1), 0.0)
        g1 = error.sum(axis=0) + SHIFT_PRIOR * shift
        h00 = _dots(weighted, self.logits) + SCALE_PRIOR
        h01 = np.where(free, weighted.sum(axis=0), 0.0)
        h11 = weight.sum(axis=0) + SHIFT_PRIOR
        determinant = h00 * h11 - h01**2
        return (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant

    def descend(
        self,
        scale: np.ndarray,
        shift: np.ndarray,
        by_scale: np.ndarray,
        by_shift: np.ndarray,
        loss: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find how much of the step to take, halved for each attribute until its loss does not grow.

        Growth within rounding does not count: near the minimum the loss of many images changes by less.

        Returns:
            Lengths from 0 to 1, and the losses there.
        """
        length, bound = np.ones(scale.size), loss + ROUNDING * np.abs(loss)
        after = self.loss(scale - by_scale, shift - by_shift)
        worse = np.flatnonzero(~(after <= bound))
        for _ in range(HALVINGS):
            if not worse.size:
                break
            length[worse] /= 2
            at = length[worse]
            after[worse] = self.columns(worse).loss(
                scale[worse] - at * by_scale[worse], shift[worse] - at * by_shift[worse]
            )
            worse = worse[~(after[worse] <= bound[worse])]
        length[worse], after[worse] = 0.0, loss[worse]
        return length, after

    def loss(self, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """`(L,)`: cross-entropy log(1 + exp(z)) - t z, and the prior."""
        z = scale * self.logits + shift
        entropy = _dots(self.weights, np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - self.targets * z)
        return np.asarray(entropy + SCALE_PRIOR * (scale - 1) ** 2 / 2 + SHIFT_PRIOR * shift**2 / 2)


def _dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`(L,)`: the inner product of each column of one `(N, L)` array with that of the other."""
    return np.asarray(np.einsum("nl,nl->l", one, other))
