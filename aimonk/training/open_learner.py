"""The two ways to learn: a linear head on frozen features, or the whole network fine-tuned after it.

A learner is opened before anything is recorded, which finds a wrong backbone or weights. It then prepares
the images once (features, or pixels too), fits any number of splits, and turns a fitted model into one
OpenVINO graph from RGB pixels to logits.
"""

from __future__ import annotations

from ..config import Config
from ..features.extractor import FrozenBackbone
from .finetuning.finetune_learner import Finetuning
from .learner import Learner, Trained
from .linear_probe.probe_learner import HeadOnly

__all__ = ["Learner", "Trained", "open_learner"]


def open_learner(config: Config) -> Learner:
    """The learner that `training.mode` names, its backbone loaded and checked.

    Raises:
        BackboneError: the backbone is unknown, or its weights are missing or do not fit.
        ConfigError: the engine does not offer the precision.
    """
    backbone = FrozenBackbone(config.features)
    _ = backbone.graph  # weights that do not fit are found here
    return Finetuning(config, backbone) if config.training.mode == "finetune" else HeadOnly(config, backbone)
