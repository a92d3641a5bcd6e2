"""What a model says of one image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The answer for one image; `probabilities` is empty when `error` says why it could not be read."""

    predicted_attributes: tuple[str, ...]
    probabilities: tuple[float, ...]
    """Per attribute, in the package's order."""
    error: str | None = None
