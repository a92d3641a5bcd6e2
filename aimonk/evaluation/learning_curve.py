"""Average precision against the number of labeled images, and what two and four times as many would bring.

Error rates of learners fall with the number n of examples about as a power of it (Hestness et al., "Deep
Learning Scaling is Predictable, Empirically", 2017; Viering and Loog, "The Shape of Learning Curves: a
Review", IEEE TPAMI 2023). So of each attribute, and of the mean,

    AP(n) = a - b n^-c,    b >= 0

is fitted to the points (n_k, AP_k) by least squares with weights n_k, since the points of small training sets
scatter more. A handful of points says little of c. It is not estimated but averaged over: each c of
`EXPONENTS` has its own a and b, and the weight exp(-(R_c - R_best) / (2 s^2)), where R_c is its weighted
sum of squares and s^2 = R_best / (K - 2) for K points (Hoeting et al., "Bayesian Model Averaging",
Statistical Science 1999, with equal prior weights).

The interval of an extrapolated value has three parts, whose variances are added:

* which images were measured: groups are resampled, all points of a resample from the same groups, and the
  fit is repeated with the same weights of c;
* which images were trained on: the scatter s of the points, through the fit's leverage at the new n;
* which c is right: the spread of the predictions over c.

Its quantile is Student's with K - 2 degrees of freedom. Measured on data/clothing, the value at the whole
lies in the 80% interval from its half as often as experiments/README.md says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from .bootstrap import resample_groups, spread
from .folds import pool_folds
from .influence import linearize_ap
from .intervals import Interval
from .metric_errors import MANY_GROUPS
from .metrics import rank
from .units import collapse

EXPONENTS = np.arange(0.1, 1.25, 0.1)
COVERAGE = 0.8
"""Of the intervals of what is extrapolated."""
FEWEST_POINTS = 4
"""Fewer points cannot tell a curve from its scatter."""
FACTORS = (2, 4)
FLAT = 0.02
"""A doubling of the images that brings less is not worth the labels."""


@dataclass(frozen=True)
class AttributeCurve:
    """The curve of one attribute, or of the mean over attributes."""

    name: str
    points: tuple[Interval, ...]
    """AP after training on each of the sizes, with 95% intervals of which images were measured."""
    extrapolated: tuple[Interval, ...]
    """AP at `FACTORS` times the last size, with 80% intervals."""
    gains: tuple[Interval, ...]
    """The same less the fitted AP at the last size."""

    @property
    def state(self) -> str:
        """`rising`, `flat`, or `open` where the interval allows both."""
        gain = self.gains[0]
        if gain.high < FLAT:
            return "flat"
        return "rising" if gain.value >= FLAT and gain.low > 0 else "open"


@dataclass(frozen=True)
class LearningCurve:
    """Curves of all attributes and of their mean."""

    sizes: tuple[float, ...]
    """Images trained on at each point, the mean over the folds; ascending."""
    mean: AttributeCurve
    attributes: tuple[AttributeCurve, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a plain object; intervals as `{value, low, high}`."""
        curves = [{**asdict(curve), "state": curve.state} for curve in (self.mean, *self.attributes)]
        return {
            "images": list(self.sizes),
            "factors": list(FACTORS),
            "coverage": COVERAGE,
            "mean": curves[0],
            "attributes": curves[1:],
        }


def learning_curve(
    targets: np.ndarray,
    scores: Sequence[np.ndarray],
    sizes: Sequence[float],
    attributes: tuple[str, ...],
    groups: np.ndarray,
    folds: np.ndarray | None,
    resamples: int = 200,
    seed: int = 0,
) -> LearningCurve:
    """Measure and extrapolate the curve from held-out scores of K trainings of growing size.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        scores: K arrays `(N, L)`, held-out logits after training on `sizes[k]` images.
        sizes: K numbers, ascending, at least 4.
        attributes: L names.
        groups: `(N,)`; equal numbers are images that are not independent.
        folds: `(N,)` fold numbers, or None for one test set.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: there are fewer than 4 sizes, or they do not ascend.

    """
    if len(sizes) < FEWEST_POINTS or not (np.diff(sizes) > 0).all():
        raise ValueError(f"a curve needs at least {FEWEST_POINTS} ascending sizes, not {list(sizes)}")
    pooled = [pool_folds(targets, values, folds) for values in scores]
    values, draws = _resampled(targets, pooled, groups, folds, resamples, seed)
    at = np.asarray(sizes, dtype=np.float64)
    curves = [_curve(name, at, values[:, j], draws[:, :, j]) for j, name in enumerate(attributes)]
    defined = np.isfinite(values).all(axis=0)
    mean = _curve("mean", at, values[:, defined].mean(axis=1), draws[:, :, defined].mean(axis=2))
    return LearningCurve(tuple(map(float, sizes)), mean, tuple(curves))


def _resampled(
    targets: np.ndarray,
    pooled: Sequence[np.ndarray],
    groups: np.ndarray,
    folds: np.ndarray | None,
    resamples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """AP of each point, `(K, L)`, and of each resample of the groups, `(B, K, L)`.

    Where the rarer class has many groups, a resample's AP is linear in its weights w up to terms of second
    order: AP + sum_i w_i AP_i, with the influences AP_i of `linearize_ap`.
    """
    units = collapse(targets, pooled[-1], groups, folds)
    few = np.minimum(units.positives, units.negatives) < MANY_GROUPS
    linear = [linearize_ap(targets, scores) for scores in pooled]
    values = np.array([found.values for found in linear])
    exact = [(j, [rank(targets[:, j], scores[:, j]) for scores in pooled]) for j in np.flatnonzero(few)]
    draws = np.empty((resamples, *values.shape))
    for rows, weights in resample_groups(groups, folds, resamples, seed):
        for k, found in enumerate(linear):
            draws[rows, k] = found.values + weights @ found.influence
        for j, rankings in exact:
            draws[rows, :, j] = np.stack([ranking.average_precision(weights) for ranking in rankings], axis=1)
    # An attribute that a resample has no positive of keeps its estimate there.
    return values, np.where(np.isfinite(draws), draws, values)


@dataclass(frozen=True)
class PowerLaw:
    """Fits of a - b n^-c, one for each exponent, and how far each is believed."""

    sizes: np.ndarray
    operators: np.ndarray
    """`(C, 2, K)`: from K points to (a, b) under each exponent."""
    weights: np.ndarray
    """`(C,)`, summing to 1."""
    scatter: float
    """Standard deviation of a point about its curve, of a point of weight 1 (the last)."""

    @classmethod
    def fit(cls, sizes: np.ndarray, points: np.ndarray) -> PowerLaw:
        """Weigh the exponents by how well they fit `points (K,)` at `sizes (K,)`.

        >>> sizes = np.array([100.0, 200.0, 400.0, 800.0])
        >>> law = PowerLaw.fit(sizes, 0.8 - 2.0 * sizes**-0.5)
        >>> round(float(law.predict(0.8 - 2.0 * sizes**-0.5, 3200.0)), 3), round(0.8 - 2.0 * 3200**-0.5, 3)
        (0.765, 0.765)
        """
        importance = np.sqrt(sizes / sizes[-1])
        designs = _designs(sizes)
        operators = np.linalg.pinv(designs * importance[:, None]) * importance
        fitted = np.einsum("ckp,cp->ck", designs, _coefficients(operators, points, sizes))
        residuals = (points - fitted) * importance
        squares = np.square(residuals).sum(axis=1)
        variance = max(squares.min() / (len(sizes) - 2), 1e-10)
        weights = np.exp(-(squares - squares.min()) / (2 * variance))
        return cls(sizes, operators, weights / weights.sum(), float(np.sqrt(variance)))

    def each(self, points: np.ndarray, size: float) -> np.ndarray:
        """Predictions at a size under each exponent, `(C, ...)` for points `(..., K)`."""
        coefficients = _coefficients(self.operators, points, self.sizes)
        return np.asarray(np.einsum("cp,c...p->c...", _designs(np.array([size]))[:, 0], coefficients))

    def predict(self, points: np.ndarray, size: float) -> np.ndarray:
        """Predictions at a size, averaged over the exponents: `(...)` for points `(..., K)`."""
        return np.asarray(np.tensordot(self.weights, self.each(points, size), axes=1))

    def error(self, points: np.ndarray, size: float, less: float | None = None) -> float:
        """Standard error by scatter and exponents of a prediction, or of its difference to that at `less`."""
        rows = _designs(np.array([size]))[:, 0]
        values = self.each(points, size)
        if less is not None:
            rows = rows - _designs(np.array([less]))[:, 0]
            values = values - self.each(points, less)
        importance = np.sqrt(self.sizes / self.sizes[-1])
        leverage = np.square(np.einsum("cp,cpk->ck", rows, self.operators) / importance).sum(axis=1)
        across = float(self.weights @ np.square(values - self.weights @ values))
        return float(np.sqrt(self.scatter**2 * (self.weights @ leverage) + across))


def _designs(sizes: np.ndarray) -> np.ndarray:
    """`(C, K, 2)`: the columns 1 and -n^-c."""
    powers = -(sizes[None, :] ** -EXPONENTS[:, None])
    return np.stack([np.ones_like(powers), powers], axis=-1)


def _coefficients(operators: np.ndarray, points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """`(C, ..., 2)`: a and b of each exponent; where b would be negative, it is 0 and a the weighted mean."""
    found = np.einsum("cpk,...k->c...p", operators, points)
    level = np.broadcast_to(points @ (sizes / sizes.sum()), found.shape[:-1])
    falling = found[..., 1] < 0
    return np.stack([np.where(falling, level, found[..., 0]), np.where(falling, 0, found[..., 1])], axis=-1)


def _curve(name: str, sizes: np.ndarray, points: np.ndarray, draws: np.ndarray) -> AttributeCurve:
    """The curve of `points (K,)`, whose bootstrap resamples are `draws (B, K)`."""
    if not np.isfinite(points).all():
        nothing = Interval(np.nan, np.nan, np.nan)
        return AttributeCurve(name, (nothing,) * len(sizes), (nothing,) * 2, (nothing,) * 2)
    law, last = PowerLaw.fit(sizes, points), float(sizes[-1])
    reach = float(
        stdtrit(len(sizes) - 2, (1 + COVERAGE) / 2)
    )  # Student's quantile; scipy.stats takes 0.5 s to import
    now, now_draws = law.predict(points, last), law.predict(draws, last)
    extrapolated, gains = [], []
    for factor in FACTORS:
        value, drawn = law.predict(points, factor * last), law.predict(draws, factor * last)
        error = np.hypot(spread(drawn[:, None])[0], law.error(points, factor * last))
        extrapolated.append(_clipped(float(value), reach * error))
        error = np.hypot(spread((drawn - now_draws)[:, None])[0], law.error(points, factor * last, last))
        gain = float(value - now)
        gains.append(Interval(gain, gain - reach * float(error), gain + reach * float(error)))
    errors = 1.96 * spread(draws)
    measured = tuple(_clipped(float(v), float(e)) for v, e in zip(points, errors, strict=True))
    return AttributeCurve(name, measured, tuple(extrapolated), tuple(gains))


def _clipped(value: float, reach: float) -> Interval:
    return Interval(float(np.clip(value, 0, 1)), max(0.0, value - reach), min(1.0, value + reach))
