"""The maps of a backbone at each of its scales: what it sees of colour and texture before it sees things."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

PADDING = "ZeroPadding2D"
"""Class of layers whose output is the map before them with a border, of no use as a map."""


def levels(backbone: keras.Model) -> list[keras.KerasTensor]:
    """The last map at 1/2, 1/4, ... of the height of the image, finest first and without the deepest scale.

    Heights are rounded to such a scale, since some backbones convolve without padding. Each is
    `(N, h, w, C)`; a backbone that has no map at a scale has none here. The same choice as in Lin, Dollar,
    Girshick, He, Hariharan and Belongie, "Feature Pyramid Networks for Object Detection", CVPR 2017.
    """
    deepest = _scale(backbone, backbone.output)
    last: dict[int, keras.KerasTensor] = {}
    for layer in backbone.layers:
        tensor = layer.output
        if isinstance(tensor, list) or len(tensor.shape) != 4 or type(layer).__name__ == PADDING:
            continue
        scale = _scale(backbone, tensor)
        if 1 <= scale < deepest:
            last[scale] = tensor
    return [last[scale] for scale in sorted(last)]


def _scale(backbone: keras.Model, tensor: keras.KerasTensor) -> int:
    return round(math.log2(backbone.input.shape[1] / tensor.shape[1]))
