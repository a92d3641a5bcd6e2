"""The errors a user can cause. Each message is one sentence: what, where, what to do."""


class AimonkError(Exception):
    """A user can cause and mend this; the command line prints its message and exits with 2."""


class ConfigError(AimonkError):
    """A setting is unknown, of the wrong type, or contradicts another one."""


class LabelsError(AimonkError):
    """The labels file cannot be read, or says something that labels cannot say."""


class ImagesError(AimonkError):
    """An image, or too large a share of the images, cannot be used."""


class BackboneError(AimonkError):
    """The backbone is unknown, or its weights are missing or do not fit."""


class FeatureStoreError(AimonkError):
    """Stored features cannot be written or read."""


class TrackingError(AimonkError):
    """The tracking store or the registry cannot be used."""


class ModelError(AimonkError):
    """A model package is missing, incomplete, or not one of ours."""


class ClusterError(AimonkError):
    """Spark is not there, cannot be started, or a job fails on it."""
