"""The networks of `keras.applications` and the size of their images, without importing Keras.

Keras takes 6 s to import, so its catalog is kept here as a table. A test compares it with Keras.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass

from ..errors import BackboneError

_SIZES: dict[str, int] = {
    "ConvNeXtTiny": 224,
    "ConvNeXtSmall": 224,
    "ConvNeXtBase": 224,
    "ConvNeXtLarge": 224,
    "ConvNeXtXLarge": 224,
    "DenseNet121": 224,
    "DenseNet169": 224,
    "DenseNet201": 224,
    "EfficientNetB0": 224,
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B0": 224,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "MobileNet": 224,
    "MobileNetV2": 224,
    "MobileNetV3Large": 224,
    "MobileNetV3Small": 224,
    "NASNetLarge": 331,
    "NASNetMobile": 224,
    "ResNet101": 224,
    "ResNet101V2": 224,
    "ResNet152": 224,
    "ResNet152V2": 224,
    "ResNet50": 224,
    "ResNet50V2": 224,
    "VGG16": 224,
    "VGG19": 224,
    "Xception": 299,
}
"""Keras' function -> height and width in pixels of the images it was designed for."""

STRIDE = 32
"""Pixels per position of the last map of nearly every convolutional network."""

_FUNCTIONS = {function.lower(): function for function in _SIZES}
_WIDTHS = ("MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small")
"""The functions that take `alpha`."""


@dataclass(frozen=True)
class KerasApplication:
    """A network of `keras.applications`: its lower-case name and its width multiplier (`alpha`)."""

    name: str
    width: float = 1.0

    def __str__(self) -> str:
        return self.name if self.width == 1.0 else f"{self.name}@{self.width:g}"

    @property
    def function(self) -> str:
        """Name of the function in `keras.applications`, e.g. `ResNet50`."""
        return _FUNCTIONS[self.name]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the images it was designed for."""
        side = _SIZES[self.function]
        return side, side

    def size_at(self, resolution: float) -> tuple[int, int]:
        """Height and width in pixels at a multiple of its own size, see `enlarged`."""
        height, width = (enlarged(side, resolution) for side in self.size)
        return height, width

    @property
    def has_width(self) -> bool:
        """Whether the network comes in several widths."""
        return self.function in _WIDTHS


def enlarged(side: int, resolution: float, multiple: int = STRIDE) -> int:
    """The side at `resolution` times its pixels, to the nearest `multiple`; unchanged at 1.

    >>> enlarged(224, 12 / 7)
    384
    """
    return side if resolution == 1 else max(multiple, multiple * round(side * resolution / multiple))


def backbone_names() -> tuple[str, ...]:
    """Every name that `parse_backbone` knows, in alphabetical order."""
    return tuple(sorted(_FUNCTIONS))


def parse_backbone(text: str) -> KerasApplication:
    """Read `NAME` or `NAME@WIDTH`, e.g. `resnet50` or `mobilenet@0.25`.

    Raises:
        BackboneError: the name is unknown, the width is no number above 0, or the network has one width only.

    """
    name, at, width_text = text.strip().lower().partition("@")
    if name not in _FUNCTIONS:
        raise BackboneError(f"There is no backbone named {name!r}; {_suggestion(name)}.")
    try:
        width = float(width_text) if at else 1.0
    except ValueError:
        width = math.nan
    if not 0.0 < width < math.inf:
        raise BackboneError(
            f"The width in backbone {text!r} is not a number above 0; write, for example, {name}@0.25."
        )
    backbone = KerasApplication(name, width)
    if width != 1.0 and not backbone.has_width:
        choices = ", ".join(function.lower() for function in _WIDTHS)
        raise BackboneError(
            f"Backbone {name} comes in one width only; leave out @{width_text} or use one of {choices}."
        )
    return backbone


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name, backbone_names(), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}" if close else f"choose one of {', '.join(backbone_names())}"
