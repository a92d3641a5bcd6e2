"""Which images to label next: five ways to choose, and random order as the baseline.

Measured on data/clothing (experiments/benchmarks/suggest.py, table in experiments/README.md), `rare` beats
random order by most, so it is `DEFAULT`; `disagreement` and `diverse` gain less, `diverse+uncertain` is not
told apart from random, and `uncertain` is worse. All take a pool of images that lack labels, and what a model
says of them.

* `random`: every image alike.
* `uncertain`: the mean entropy of the missing labels (Lewis and Gale, "A Sequential Algorithm for Training
  Text Classifiers", SIGIR 1994; over several labels as in Li and Guo, "Active Learning with Multi-Label SVM
  Classification", IJCAI 2013).
* `disagreement`: what the models of the folds would learn of each other, the mutual information between a
  label and the choice of the model (Houlsby, Huszar, Ghahramani and Lengyel, "Bayesian Active Learning for
  Classification and Preference Learning", 2011): the entropy of the mean less the mean of the entropies.
* `rare`: the expected number of new positives, each weighed by 1 / (positives known already + 1), so that one
  of an attribute that has few counts for more.
* `diverse`: images far in feature space from those that are labeled and from each other, drawn as the
  centers of k-means++ are (Arthur and Vassilvitskii, SODA 2007).
* `diverse+uncertain`: the same draw, each squared distance weighed by the image's entropy, in the spirit of
  BADGE (Ash, Zhang, Krishnamurthy, Langford and Agarwal, ICLR 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

DEFAULT = "rare"


@dataclass(frozen=True)
class Pool:
    """P images to choose from.

    Attributes:
        probabilities: `(P, L)`, calibrated.
        missing: `(P, L) bool`, the labels that are not known.
        positives: `(L,)` positives known already.
        features: `(P, D) float32`, standardized.
        labeled: `(Q, D) float32`, likewise, of the images that have labels.
        committee: `(K, P, L)` probabilities by K models of different training images; None where there are
            none.
    """

    probabilities: np.ndarray
    missing: np.ndarray
    positives: np.ndarray
    features: np.ndarray
    labeled: np.ndarray
    committee: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.probabilities)


def suggest_rows(pool: Pool, n: int, strategy: str = DEFAULT, seed: int = 0) -> np.ndarray:
    """Choose `n` images of the pool (all of it, if it is smaller), the most useful first.

    Args:
        pool: what there is to choose from.
        n: how many.
        strategy: a name in `STRATEGIES`.
        seed: of random draws.

    Returns:
        `(min(n, P),) int64` rows of the pool.

    """
    return STRATEGIES[strategy](pool, min(n, len(pool)), np.random.default_rng(seed))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of each label in bits; the shape stays.

    >>> entropy(np.array([0.5, 0.0, 1.0])).tolist()
    [1.0, 0.0, 0.0]
    """
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    bits = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return np.asarray(np.where((probabilities <= 0) | (probabilities >= 1), 0.0, bits))


def mean_entropy(pool: Pool) -> np.ndarray:
    """`(P,)`: entropy of the missing labels, averaged over all attributes."""
    return np.asarray(np.where(pool.missing, entropy(pool.probabilities), 0).mean(axis=1))


def mutual_information(pool: Pool) -> np.ndarray:
    """`(P,)`: what the committee disagrees about, averaged over all attributes."""
    if pool.committee is None:
        raise ValueError("the strategy `disagreement` needs a committee")
    disputed = entropy(pool.committee.mean(axis=0)) - entropy(pool.committee).mean(axis=0)
    return np.asarray(np.where(pool.missing, disputed, 0).mean(axis=1))


def rarity(pool: Pool) -> np.ndarray:
    """`(P,)`: expected new positives, weighed by how few there are."""
    return np.asarray((pool.missing * pool.probabilities / (pool.positives + 1)).sum(axis=1))


def spread(pool: Pool, n: int, weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw `n` images with probability proportional to weight times squared distance to all chosen so far."""
    nearest = np.full(len(pool), np.inf)
    for center in pool.labeled:
        nearest = np.minimum(nearest, _distances(pool.features, center))
    if not len(pool.labeled):
        nearest = np.ones(len(pool))
    chosen: list[int] = []
    for _ in range(n):
        chance = np.maximum(weights, 1e-12) * nearest
        chance[chosen] = 0
        if chance.sum() <= 0:  # only copies of what is chosen are left
            chance = np.ones(len(pool))
            chance[chosen] = 0
        chosen.append(int(generator.choice(len(pool), p=chance / chance.sum())))
        distance = _distances(pool.features, pool.features[chosen[-1]])
        nearest = distance if len(chosen) == 1 and not len(pool.labeled) else np.minimum(nearest, distance)
    return np.array(chosen, np.int64)


def _distances(features: np.ndarray, center: np.ndarray) -> np.ndarray:
    return np.asarray(np.square(features - center).sum(axis=1, dtype=np.float64))


def _highest(scores: np.ndarray, n: int) -> np.ndarray:
    return np.argsort(-scores, kind="stable")[:n]


NEEDS_COMMITTEE = frozenset(("disagreement",))
"""Strategies that compare several models, which a registered model does not have."""

NEEDS_FEATURES = frozenset(("diverse", "diverse+uncertain"))
"""Strategies that look at features."""

Strategy = Callable[[Pool, int, np.random.Generator], np.ndarray]

STRATEGIES: Mapping[str, Strategy] = {
    "random": lambda pool, n, generator: generator.permutation(len(pool))[:n],
    "uncertain": lambda pool, n, generator: _highest(mean_entropy(pool), n),
    "disagreement": lambda pool, n, generator: _highest(mutual_information(pool), n),
    "rare": lambda pool, n, generator: _highest(rarity(pool), n),
    "diverse": lambda pool, n, generator: spread(pool, n, np.ones(len(pool)), generator),
    "diverse+uncertain": lambda pool, n, generator: spread(pool, n, mean_entropy(pool), generator),
}
