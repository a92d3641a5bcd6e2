"""The tail of the permutation distribution of a rank sum, without permutations.

A p-value of 10,000 permutations cannot fall below 1e-4, and Holm's correction over 500 attributes asks for
that. The saddlepoint approximation has a small relative error, in the far tail too, where the normal one is
wrong by factors.

Let B_i be independent Bernoulli variables with P(B_i = 1) = P_f / n_f for the n_f units of fold f with ranks
a_i, X = sum a_i B_i and N_f the sum of B_i over the fold. Given N_f = P_f for every fold, all arrangements of
the labels are equally likely: the permutation distribution of the statistic is that of X given N. Its tail
follows from the joint cumulant generating function

    K(t, u) = sum_f sum_{i in f} log(1 - p_f + p_f exp(u_f + t a_i)),        p_f = P_f / n_f,

by Skovgaard's (1987, "Saddlepoint expansions for conditional distributions", eq. 3.3) double saddlepoint; for
permutation tests see Booth and Butler (1990) and Robinson (1982). With (t, u) the solution of K_t = x and
K_u = P (at x = 0 it is 0, and K(0, 0) = 0),

    w = sign(t) sqrt(2 (t x + u P - K(t, u))),
    v = (2 / d) sinh(d t / 2) sqrt(det K''(t, u) / det K_uu''(0, 0)),
    P(X >= x + d / 2 | N = P) = 1 - Phi(w) + phi(w) (1 / v - 1 / w),

where d is the span of the lattice of X and x lies half a span below the value asked for (the continuity
correction). K'' has an arrow's shape, so its determinant is that of K_uu, a diagonal, times a Schur
complement.

Accuracy: experiments/benchmarks/permutation_tail.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from .rank_sum import RankSum

NEAR_MEAN = 0.1
"""Within so many standard deviations 1 / v - 1 / w loses its digits, and p is interpolated."""
STEPS = 200
TOLERANCE = 1e-8


def permutation_tail(statistic: RankSum, value: float) -> float:
    """Return P(X >= value) over all arrangements of the labels within folds, in (0, 1].

    `value` is one that the statistic can take, see `least_reached`.
    """
    deviation = math.sqrt(statistic.variance)
    if deviation == 0:
        return 1.0 if value <= 0 else 0.0
    problem = _Problem.of(statistic, deviation)
    x = (value - statistic.span / 2) / deviation
    if abs(x) >= NEAR_MEAN:
        return problem.tail(x)
    low, high = problem.tail(-NEAR_MEAN), problem.tail(NEAR_MEAN)
    return low + (high - low) * (x + NEAR_MEAN) / (2 * NEAR_MEAN)


@dataclass(frozen=True)
class _State:
    """The generating function less t x + u P, its gradient, and its second derivatives, at (t, u)."""

    t: float
    u: np.ndarray
    value: float
    by_t: float
    by_u: np.ndarray
    tt: float
    tu: np.ndarray
    uu: np.ndarray

    @property
    def schur(self) -> float:
        """K_tt - sum_f K_tf^2 / K_ff, the variance of X that its counts do not explain."""
        return self.tt - float((self.tu**2 / self.uu).sum())


@dataclass(frozen=True)
class _Problem:
    """Ranks in standard deviations of the statistic, so that t is about x near the mean."""

    ranks: np.ndarray
    odds: np.ndarray
    """`(n,)`: log odds of p_f."""
    starts: np.ndarray
    sizes: np.ndarray
    positives: np.ndarray
    span: float

    @classmethod
    def of(cls, statistic: RankSum, deviation: float) -> _Problem:
        sizes, positives = statistic.sizes, statistic.positives
        odds = np.repeat(np.log(positives / (sizes - positives)), sizes)
        ranks = statistic.ranks / deviation
        return cls(ranks, odds, statistic.starts, sizes, positives, statistic.span / deviation)

    def tail(self, x: float) -> float:
        found = self.solve(x)
        depth = max(-2 * found.value, 0.0)
        w = math.copysign(math.sqrt(depth), x)
        free = self.positives * (1 - self.positives / self.sizes)
        determinant = found.schur * float(np.prod(found.uu / free))
        half = self.span * found.t / 2
        if not (determinant > 0 and abs(half) < 30 and w):
            # So far out that the curvature is lost to rounding: the bound exp(-w^2 / 2) of Chernoff.
            return math.exp(-depth / 2) if x > 0 else 1.0
        v = 2 / self.span * math.sinh(half) * math.sqrt(determinant)
        density = math.exp(-depth / 2) / math.sqrt(2 * math.pi)
        return min(max(float(ndtr(-w)) + density * (1 / v - 1 / w), 0.0), 1.0)

    def solve(self, x: float) -> _State:
        """Minimize K - t x - u P, a convex function, by damped Newton steps."""
        at = self.state(x, x, np.zeros(self.starts.size))
        for _ in range(STEPS):
            if not (at.schur > 0 and np.all(at.uu > 0)):
                return at
            dt = -(at.by_t - float((at.tu * at.by_u / at.uu).sum())) / at.schur
            du = -(at.by_u + at.tu * dt) / at.uu
            decrement = -(at.by_t * dt + float(at.by_u @ du))
            if decrement < TOLERANCE:
                return at
            length = 1.0
            tried = self.state(x, at.t + dt, at.u + du)
            while not tried.value <= at.value and length > 1e-6:
                length /= 2
                tried = self.state(x, at.t + length * dt, at.u + length * du)
            at = tried
        return at

    def state(self, x: float, t: float, u: np.ndarray) -> _State:
        shift = np.repeat(u, self.sizes) + t * self.ranks
        present = expit(self.odds + shift)
        # log(1 - p + p e^s) = log(1 - p) - log(1 - present), with a form that neither overflows nor cancels.
        total = np.logaddexp(0, self.odds + shift) - np.logaddexp(0, self.odds)
        weight = present * (1 - present)
        weighted = weight * self.ranks
        return _State(
            t=t,
            u=u,
            value=float(total.sum()) - t * x - float(u @ self.positives),
            by_t=float(present @ self.ranks) - x,
            by_u=np.add.reduceat(present, self.starts) - self.positives,
            tt=float(weighted @ self.ranks),
            tu=np.add.reduceat(weighted, self.starts),
            uu=np.add.reduceat(weight, self.starts),
        )
