"""Whether a backbone is so large that a recipe trains it on smaller images and for fewer epochs."""

from __future__ import annotations

from ..config import FeaturesConfig
from .named_backbone import named_backbone
from .published_weights import PUBLISHED
from .zoo import KerasApplication

LARGE = 1_000_000
"""Weights from which a backbone is large. They stand for the arithmetic: MobileNet@0.25, of 0.2 million, is
fine-tuned at four times the rate of EfficientNet-Lite0, of 3.4 million."""

BYTES = 4
"""Of a weight in a file."""


def is_large(config: FeaturesConfig) -> bool:
    """Whether the backbone that the settings name has `LARGE` weights or more; nothing is loaded.

    >>> is_large(FeaturesConfig("mobilenet@0.25")), is_large(FeaturesConfig("resnet50"))
    (False, True)

    Raises:
        BackboneError: there is no such network or file, or it is of another kind.
        ConfigError: a setting does not go with that kind of backbone.

    """
    backbone = named_backbone(config)
    if not isinstance(backbone, KerasApplication):
        return backbone.path.stat().st_size >= BYTES * LARGE
    known = {item.name: item.parameters for item in PUBLISHED}
    # Of a width that is not published, or a network: as many as the square of the width says.
    weights = known.get(str(backbone), known.get(backbone.name, LARGE) * backbone.width**2)
    return weights >= LARGE
