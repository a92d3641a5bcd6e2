"""An answer with where its evidence lies, small enough for a server's reply.

A grid of a few hundred numbers for each of a hundred attributes would be more than the photo. So only the
attributes that the model finds present are explained, and at most `ATTRIBUTES` of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .contributions import Contributions
from .evidence_location import locate
from .prediction import Prediction
from .record import PackageInfo

IMAGES = 16
"""One request to a server may ask for so many explanations. They are made one at a time."""

ATTRIBUTES = 8
"""Explained of one image."""

DIGITS = 7
"""Decimal places of contributions in JSON: rounding a grid moves its sum by less than 1e-4."""


@dataclass(frozen=True)
class Explanation:
    """Where the logit of one attribute comes from: `logit = baseline + elsewhere + sum of contributions`."""

    attribute: str
    logit: float
    baseline: float
    """Of a plain gray image."""
    elsewhere: float
    """What has no place in the image."""
    border: float
    """Share of the evidence in the outer eighth of the image."""
    outside_middle: float
    contributions: list[list[float]]
    """A grid over the image, row by row."""


@dataclass(frozen=True)
class ExplainedPrediction:
    """The answer for one image; no explanation where it has an error."""

    prediction: Prediction
    explanations: tuple[Explanation, ...] = ()


def explanations(found: Contributions, model: PackageInfo) -> tuple[Explanation, ...]:
    """Return the explanations of the attributes worth one, the surest first."""
    columns = sorted(drawn_attributes(found, model), key=lambda j: -float(found.logits[j]))
    return tuple(_explanation(found, model, column) for column in columns[:ATTRIBUTES])


def drawn_attributes(found: Contributions, model: PackageInfo) -> list[int]:
    """Columns worth a picture: present, and not known to lack evidence; else the one with the best score."""
    present = np.flatnonzero(is_present(found, model))
    worth = [int(j) for j in present if model.attributes[j].verdict in (None, "learned")]
    return worth or [int(np.argmax(found.logits))]


def is_present(found: Contributions, model: PackageInfo) -> np.ndarray:
    """`(L,) bool`: whether the model says that each attribute is present."""
    thresholds = np.array([attribute.threshold for attribute in model.attributes])
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * found.logits)) >= thresholds)


def rounded(places: np.ndarray) -> list[list[float]]:
    """A grid for JSON."""
    return [[round(float(value), DIGITS) for value in row] for row in places]


def _explanation(found: Contributions, model: PackageInfo, column: int) -> Explanation:
    where = locate(found.places[column])
    return Explanation(
        attribute=model.names[column],
        logit=float(found.logits[column]),
        baseline=float(found.baseline[column]),
        elsewhere=float(found.elsewhere[column]),
        border=where.border,
        outside_middle=where.outside_middle,
        contributions=rounded(found.places[column]),
    )
