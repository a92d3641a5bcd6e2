"""Does something that is not in the picture predict an attribute: the folder, the file's size, the border?

Each trait of the files is tested alone. A ridge regression on it scores every image by a fit that did not see
the image's fold, and the same test as for the model (`association`) asks whether positives score higher than
chance explains, corrected over all attributes and traits (Bonferroni). Legitimate correlations exist: a
portrait is taller than a landscape, and more women wear skirts. So beyond chance is not enough. A trait is
named where, besides,

- its AUC is above `LEAST_AUC`, with the whole 95% interval, and
- it explains at least `LEAST_SHARE` of what the model can do: (AUC of trait - 1/2) / (AUC of model - 1/2).

Only where the AUC and the share are large enough is anything tested, which with hundreds of attributes saves
nearly all of the time. A shortcut that is named has not been proven to be used: the model may look at the
subject all the same.

Measured on data/clothing (1,518 photos, 23 attributes): `pattern_graphics` is named, since the aspect ratio
alone has an AUC of 0.90 for it (model: 0.97). The other patterns and `many_colors` go along with the aspect
ratio or the border too, at 53% to 73% of what the model can do; no other attribute reaches half. After
Geirhos et al., "Shortcut Learning in Deep Neural Networks", Nature Machine Intelligence 2020.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..data.labels import MISSING
from ..data.split import fold_numbers
from .evidence import weigh_evidence
from .influence import linearize_auc
from .intervals import Interval

LEAST_AUC = 0.6
LEAST_SHARE = 0.75
FOLDS = 5
RIDGE = 10.0
"""Penalty on standardized columns, in images: a class of 10 images is believed half."""

RESAMPLES = 200

ELSEWHERE = "check whether the images that have it come from another source"
CHECKS = {"border pixels": "look whether the subject reaches the border, or something else lies there"}
"""What to do about a trait; `ELSEWHERE` for all others."""


@dataclass(frozen=True)
class Shortcut:
    """A trait of the files that predicts an attribute, without a look at the subject."""

    attribute: str
    trait: str
    auc: Interval
    p_value: float
    """Corrected over attributes and traits."""
    model_auc: float

    @property
    def sentence(self) -> str:
        """What was found, and what to do."""
        return (
            f"{self.attribute!r} can be told from the {self.trait} alone: AUC {self.auc.value:.2f} "
            f"[{self.auc.low:.2f}, {self.auc.high:.2f}], the model's is {self.model_auc:.2f}; "
            f"{CHECKS.get(self.trait, ELSEWHERE)}."
        )

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {**asdict(self), "sentence": self.sentence}


def find_shortcuts(
    traits: Mapping[str, np.ndarray],
    targets: np.ndarray,
    groups: np.ndarray,
    attributes: tuple[str, ...],
    model_auc: np.ndarray,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> tuple[Shortcut, ...]:
    """Name, for each attribute, the trait that predicts it best, if one does.

    Args:
        traits: `(N, d)` columns of each trait.
        targets: `(N, L)` of 1, 0 and `MISSING`.
        groups: `(N,)` numbers; images with equal ones are not independent.
        attributes: L names.
        model_auc: `(L,)` AUC of the model, nan where it is not defined.
        alpha: family-wise error rate over attributes and traits.
        seed: of the folds.
    """
    count = min(FOLDS, len(np.unique(groups)))
    if not traits or count < 2:
        return ()
    folds = fold_numbers(targets, groups, count, seed)
    tests = len(traits) * len(attributes)
    found: dict[str, Shortcut] = {}
    for trait, columns in traits.items():
        scores = out_of_fold_scores(columns, targets, folds)
        auc = linearize_auc(targets, scores, folds).values
        explained = (auc - 0.5) / np.maximum(model_auc - 0.5, 1e-9)
        chosen = np.flatnonzero((auc > LEAST_AUC) & (explained >= LEAST_SHARE))
        if not chosen.size:
            continue
        evidence = weigh_evidence(
            targets[:, chosen],
            scores[:, chosen],
            tuple(attributes[j] for j in chosen),
            groups,
            folds,
            permutations=max(2_000, math.ceil(2 * tests / alpha)),  # so that the least p-value can pass
            resamples=RESAMPLES,
            seed=seed,
        )
        for j, one in zip(chosen.tolist(), evidence.attributes, strict=True):
            p_value = one.p_raw * tests
            if not p_value < alpha or not one.auc.low > LEAST_AUC:
                continue
            if one.name not in found or one.auc.value > found[one.name].auc.value:
                found[one.name] = Shortcut(one.name, trait, one.auc, p_value, float(model_auc[j]))
    return tuple(found[name] for name in attributes if name in found)


def out_of_fold_scores(columns: np.ndarray, targets: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """`(N, L) float64`: ridge regressions of known labels on columns, each without the fold it scores.

    With X standardized over the other folds, y centered over their known labels and 0 for the unknown ones,
    and the share c of labels that are known,

        w = (c X'X + RIDGE * I)^-1 X'y.

    If labels are missing at random, c X'X is what the images with a known label give on average. One
    eigendecomposition of X'X serves all attributes.
    """
    scores = np.zeros(targets.shape)
    for fold in np.unique(folds):
        inside = folds == fold
        mean, spread = columns[~inside].mean(axis=0), columns[~inside].std(axis=0)
        spread[spread < 1e-12] = 1.0
        x, labels = (columns[~inside] - mean) / spread, targets[~inside]
        known = labels != MISSING
        means = np.sum(labels, axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
        y = np.where(known, labels - means, 0.0)
        values, vectors = np.linalg.eigh(x.T @ x)
        shrunk = (vectors.T @ (x.T @ y)) / (values[:, None] * known.mean(axis=0) + RIDGE)
        scores[inside] = (columns[inside] - mean) / spread @ (vectors @ shrunk)
    return scores
