"""Which learner the settings name: a linear head on frozen features, or the whole network."""

from __future__ import annotations

from ..config import Config
from ..features.extractor import FeatureExtractor
from .finetuning.finetune_learner import Finetuning
from .learner import Learner
from .linear_probe.probe_learner import LinearProbe


def open_learner(config: Config) -> Learner:
    """Return the learner that `training.mode` names, its backbone loaded and checked.

    Raises:
        BackboneError: the backbone is unknown, its weights are missing or do not fit, or it is an ONNX file,
            which cannot be fine-tuned.
        ConfigError: the engine does not offer the precision.
    """
    backbone = FeatureExtractor(config.features)
    if config.training.mode == "finetune":
        backbone.check_trainable()
    _ = backbone.graph  # finds weights that do not fit before anything is recorded
    return (
        Finetuning(config, backbone) if config.training.mode == "finetune" else LinearProbe(config, backbone)
    )
