r"""Which missing labels held-out scores can vouch for: two thresholds per attribute, with confidence.

A missing label is filled as present where the model's probability is at least a, as absent where it is at
most b. The user asks for a precision P and a miss share m. For present the promise is

    precision   P(Y = 1 | S >= a) >= P      of what is filled as present, so much is right
    miss        P(S >= a | Y = 0) <= m      of the true negatives, so few are filled as present

and for absent the same with the classes exchanged. Each attribute keeps all four with the asked confidence
1 - delta, of which its two thresholds have shares alpha and delta - alpha. What binds the one for absent is
how few positives are known, and likewise the other way round. So the threshold that the scarcer class binds
has `SCARCE_SHARE` of delta. Labels alone say which class is scarcer. An attribute is
one claim; there is no correction over attributes, so of many attributes up to delta may be expected to break
theirs.

**Test of one threshold** (Learn then Test: Angelopoulos, Bates, Candes, Jordan and Lei, "Learn then Test:
Calibrating Predictive Algorithms to Achieve Risk Control", 2021, section 2). Let n known cells score at least
a, let e of them be negative, and let n0 negatives be known in all. If the promise is broken,

    its precision is below P:  e given n   is Binomial(n, q),  q > 1 - P,  so  P(Binom(n, 1 - P) <= e)
    its miss is above m:       e given n0  is Binomial(n0, r), r > m,      so  P(Binom(n0, m) <= e)

are p-values for it, exact as Clopper and Pearson's interval is (1934). The threshold is certified if both
are at most alpha: whichever promise is broken, its own test errs with at most that probability, so
the pair needs no correction (Berger, "Multiparameter Hypothesis Testing and Acceptance Sampling", 1982).

**Many thresholds** cost nothing if they are tested in an order that no label decides, and testing stops at
the first failure (fixed-sequence testing, section 4 of Angelopoulos et al.). Here they are the known scores
in falling order, from the k-th best on, where k is the least number of cells at which `START_ERRORS` errors
still pass. The cells that score above the (k+1)-th best are, given that score s, independent draws from
P(. | S > s), as if s had been fixed. Let v be the largest score at which the promise is broken, and let the
first tested threshold at or below v have n cells, N of them above v. Given N, the errors above v are
Binomial(N, 1 - P) by the choice of v, and each of the n - N other cells errs with at least that probability
if errors do not become rarer as scores fall. So e is stochastically at least Binomial(n, 1 - P), and
passing has probability at most alpha. For the miss share the same holds without any assumption: e only
grows on the way, and at v it is Binomial(n0, m). Hence the one assumption: **within an attribute, a lower
score does not mean a surer label**.

**Groups.** Images of one group (copies, one patient) are not independent. One known cell of each group, drawn
at random, stands for it; n, n0 and e count groups. The promise then is of a random image of a random group.

**Same images.** Scores must be out-of-fold, and calibrated without the image's fold, as `HeldOutScores` are.
Given the models of the folds, cells are independent; that the folds' models share images is not in the
binomial. It is measured instead (experiments/benchmarks/fill.py), as is what happens on noise.

**What is not promised.** Missing labels are taken to be missing at random within the attribute. If people
left out the doubtful ones, held-out evidence on the others is too good; see the same benchmark.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binom

from ..data.labels import MISSING

START_ERRORS = 2
"""Errors that the first tested threshold survives: a wrong label among the surest must not end the search."""
SCARCE_SHARE = 0.7
"""Of the error rate, for the threshold whose misses are counted on the scarcer class."""
EVEN = 0.5
"""No cell is filled against its own probability, however well the others do."""
_LARGE_START = 0.25
"""Of the known cells; where the first threshold would need more of them, it survives no error instead."""


@dataclass(frozen=True)
class Promise:
    """What filled cells must keep, see the module."""

    precision: float = 0.95
    miss: float = 0.05
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("precision", "miss", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")

    def levels(self, positives: int, negatives: int) -> tuple[float, float]:
        """Return the error rates of the thresholds for absent and for present, given the known labels.

        >>> [round(level, 3) for level in Promise(confidence=0.95).levels(100, 900)]
        [0.035, 0.015]
        """
        delta = 1 - self.confidence
        shares = (SCARCE_SHARE, 1 - SCARCE_SHARE)
        absent, present = shares if positives <= negatives else shares[::-1]
        return absent * delta, present * delta

    def fewest(self, level: float) -> int:
        """Return how many cells of a class must be known, or nothing passes even without an error.

        >>> Promise(miss=0.05).fewest(0.035)
        66
        """
        return math.ceil(math.log(level) / math.log(1 - self.miss))


@dataclass(frozen=True)
class Passed:
    """A certified threshold, how many known cells lie beyond it, and how many of them err."""

    threshold: float = math.inf
    cells: int = 0
    errors: int = 0


@dataclass(frozen=True)
class Vouched:
    """The thresholds of one attribute, on calibrated probabilities. What lies between them stays missing."""

    name: str
    present: float
    """Fill as present from here on; infinite where nothing can be vouched for."""
    absent: float
    """Fill as absent up to here; minus infinity where nothing can be vouched for."""
    positives: int
    """Groups by which they were chosen, by the label of the cell that stands for the group."""
    negatives: int
    tested: tuple[Passed, Passed] = (Passed(), Passed())
    """The known cells beyond the threshold for absent, and for present."""
    reason: str = ""
    """Why one or both values are never filled; empty where both are."""

    @property
    def fills(self) -> bool:
        """Whether any probability is filled."""
        return math.isfinite(self.present) or math.isfinite(self.absent)

    def without(self, value: int, reason: str) -> Vouched:
        """Return the attribute without the threshold for a value, and why; as it is if it has none."""
        threshold = self.present if value else self.absent
        if math.isinf(threshold):
            return self
        told = f"never filled as {'present' if value else 'absent'}, {reason}"
        reasons = "; ".join(filter(None, (self.reason, told)))
        if value:
            return replace(self, reason=reasons, present=math.inf)
        return replace(self, reason=reasons, absent=-math.inf)

    def fill(self, probabilities: np.ndarray) -> np.ndarray:
        """Labels for cells with these probabilities, `(n,) float32` of 1, 0 and `MISSING`.

        >>> Vouched("scarf", 0.9, 0.1, 100, 100).fill(np.array([0.95, 0.5, 0.1])).tolist()
        [1.0, -1.0, 0.0]
        """
        filled = np.full(np.shape(probabilities), MISSING, np.float32)
        filled[probabilities >= self.present] = 1
        filled[probabilities <= self.absent] = 0
        return filled


def vouch(
    targets: np.ndarray,
    probabilities: np.ndarray,
    attributes: tuple[str, ...],
    groups: np.ndarray,
    learned: Collection[str],
    promise: Promise,
    seed: int = 0,
) -> tuple[Vouched, ...]:
    """Choose the thresholds of every attribute.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`, given by people.
        probabilities: `(N, L)` by models that saw neither the image nor a copy of it.
        attributes: L names.
        groups: `(N,)`; equal numbers are images that are not independent.
        learned: names of the attributes that the evidence says were learned; no other one is filled.
        promise: what the filled cells must keep.
        seed: of the draw of one cell per group.

    Raises:
        ValueError: shapes do not fit.
    """
    if targets.shape != probabilities.shape or targets.shape != (len(groups), len(attributes)):
        raise ValueError(
            f"targets {targets.shape}, probabilities {probabilities.shape}, {len(attributes)} attributes and "
            f"{len(groups)} groups do not fit together"
        )
    order = np.random.default_rng(seed).permutation(len(groups))
    chosen = []
    for column, name in enumerate(attributes):
        known = order[targets[order, column] != MISSING]
        rows = known[np.unique(groups[known], return_index=True)[1]]
        labels, scores = targets[rows, column], probabilities[rows, column]
        chosen.append(_vouch_attribute(name, labels, scores, name in learned, promise))
    return tuple(chosen)


def certified(
    scores: np.ndarray, right: np.ndarray, promise: Promise, level: float, lowest: float = -math.inf
) -> Passed:
    """Return the lowest certified threshold for filling with one value; an infinite one if there is none.

    Args:
        scores: `(n,)` of independent cells, higher means surer of this value.
        right: `(n,) bool`, whether the cell has this value.
        promise: what must hold.
        level: largest probability that a threshold is certified though the promise is broken.
        lowest: no lower threshold is tested.

    Example:
        100 cells without an error pass the first test at a precision of 0.9, which asks for 36 of them; then
        the errors begin:

        >>> scores = np.arange(200.0)
        >>> certified(scores, scores >= 100, Promise(precision=0.9, miss=0.1), 0.025)
        Passed(threshold=96.0, cells=104, errors=4)

    """
    order = np.argsort(-scores, kind="stable")
    ranked, errors = scores[order], np.concatenate(([0], np.cumsum(~right[order])))
    cells = np.arange(len(scores) + 1)
    wrong = binom.cdf(errors, cells, 1 - promise.precision)
    missed = binom.cdf(errors, errors[-1], promise.miss)
    passed = np.maximum(wrong, missed) <= level
    # A threshold takes all cells of its score or none: only the last of tied cells may be tested.
    whole = np.ones(len(scores) + 1, bool)
    whole[1:-1] = ranked[1:] != ranked[:-1]
    whole[1:] &= ranked >= lowest
    tested = np.flatnonzero(whole & (cells >= first_tested(len(scores), promise, level)))
    failures = np.flatnonzero(~passed[tested])
    reached = tested[: failures[0]] if failures.size else tested
    if not reached.size:
        return Passed()
    last = int(reached[-1])
    return Passed(float(ranked[last - 1]), last, int(errors[last]))


def first_tested(cells: int, promise: Promise, level: float) -> int:
    """Return how many of the surest cells the first threshold takes, given how many are known.

    >>> first_tested(2000, Promise(precision=0.95), 0.025), first_tested(2000, Promise(precision=0.99), 0.025)
    (142, 368)
    """
    counts = np.arange(1, max(cells, 1) + 1)
    for errors in (START_ERRORS, 0):
        passing = np.flatnonzero(binom.cdf(errors, counts, 1 - promise.precision) <= level)
        if passing.size and (errors == 0 or counts[passing[0]] <= _LARGE_START * cells):
            return int(counts[passing[0]])
    return cells + 1


def _vouch_attribute(
    name: str, labels: np.ndarray, scores: np.ndarray, learned: bool, promise: Promise
) -> Vouched:
    positives, negatives = int(np.sum(labels == 1)), int(np.sum(labels == 0))
    if not learned:
        why = "there is no evidence that it was learned"
        return Vouched(name, math.inf, -math.inf, positives, negatives, reason=why)
    levels = promise.levels(positives, negatives)
    for_present = certified(scores, labels == 1, promise, levels[1], EVEN)
    for_absent = certified(-scores, labels == 0, promise, levels[0], float(np.nextafter(-EVEN, math.inf)))
    present, absent = for_present.threshold, -for_absent.threshold
    why = _reason(present, absent, positives, negatives, promise)
    return Vouched(name, present, absent, positives, negatives, (for_absent, for_present), why)


def _reason(present: float, absent: float, positives: int, negatives: int, promise: Promise) -> str:
    """Say why a value is never filled."""
    reasons = []
    levels = promise.levels(positives, negatives)
    for value, opposite, threshold, others, level in (
        ("present", "absent", present, negatives, levels[1]),
        ("absent", "present", absent, positives, levels[0]),
    ):
        if math.isinf(threshold):
            fewest = promise.fewest(level)
            few = f"fewer than {fewest} photos are known to be {opposite}"
            why = few if others < fewest else "too many errors among the surest"
            reasons.append(f"never filled as {value}, {why}")
    return "; ".join(reasons)
