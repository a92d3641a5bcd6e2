"""The errors a user can cause. Each message is one sentence: what, where, what to do."""

from .runtime.errors import AimonkError, ImagesError, ModelError

__all__ = [
    "AimonkError",
    "BackboneError",
    "ClusterError",
    "ConfigError",
    "FeatureStoreError",
    "ImagesError",
    "LabelsError",
    "ModelError",
    "TrackingError",
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


class ClusterError(AimonkError):
    """Spark is not there, cannot be started, or a job fails on it."""
