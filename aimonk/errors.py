"""The errors a user can cause. Each message is one sentence: what, where, what to do."""

from __future__ import annotations

from typing import Any

from .runtime.user_errors import AimonkError, ImagesError, ModelError

__all__ = [
    "AimonkError",
    "BackboneError",
    "ClusterError",
    "ConfigError",
    "FeatureStoreError",
    "ImagesError",
    "LabelsError",
    "ModelError",
    "StoreAwayError",
    "TrackingError",
    "UndeliveredError",
]


class ConfigError(AimonkError):
    """A setting is unknown, of the wrong type, or contradicts another one."""


class LabelsError(AimonkError):
    """The labels file cannot be read, or says something that labels cannot say."""


class BackboneError(AimonkError):
    """The backbone is unknown, or its weights are missing or do not fit."""


class FeatureStoreError(AimonkError):
    """Stored features cannot be written or read."""


class TrackingError(AimonkError):
    """The tracking store or the registry cannot be used."""


class StoreAwayError(TrackingError):
    """The tracking store does not answer now, but may do so later: it is worth trying again."""


class UndeliveredError(TrackingError):
    """A model was trained and evaluated, but not everything about it could be stored."""

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result
        """The `EvaluationResult` of the training, to be shown all the same."""


class ClusterError(AimonkError):
    """Spark is not there, cannot be started, or a job fails on it."""
