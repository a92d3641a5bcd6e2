"""How a vector is read off a backbone's map of features: at what image size, pooled where, and rooted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import FeaturesConfig
from .zoo import Backbone

if TYPE_CHECKING:
    import keras

ROOT_OFFSET = 1e-6
"""Keeps the root's slope finite at 0, where most of a rectified map lies, so that it can be fine-tuned."""


@dataclass(frozen=True)
class Readout:
    """What is done with the map `(N, h, w, C)` that a backbone makes of images of `height` x `width` pixels.

    `pooling` is `mean` (over all positions: C features) or `mean+center` (that, and the mean over the
    middle half of the rows and columns, where the subject is: 2 C features). `rooted` features are signed
    square roots, which keeps a few strong ones from outshouting the others: Perronnin, Sanchez and Mensink,
    "Improving the Fisher Kernel for Large-Scale Image Classification", ECCV 2010, section 3.2.
    """

    height: int
    width: int
    pooling: str = "mean"
    rooted: bool = False

    def __str__(self) -> str:
        return f"{self.pooling}-rooted" if self.rooted else self.pooling

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the images."""
        return self.height, self.width

    def attach(self, keras: Any, maps: keras.KerasTensor) -> keras.KerasTensor:
        """Continue a graph from the map to `(N, D)` features, in layers that are saved without code."""
        pooled = [keras.layers.GlobalAveragePooling2D(name="mean")(maps)]
        if self.pooling == "mean+center":
            rows, columns = (_middle(length) for length in maps.shape[1:3])
            center = keras.layers.Cropping2D((rows, columns), name="middle")(maps)
            pooled.append(keras.layers.GlobalAveragePooling2D(name="center")(center))
        features = keras.layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else pooled[0]
        if not self.rooted:
            return features
        size = keras.ops.sqrt(keras.ops.abs(features) + ROOT_OFFSET) - ROOT_OFFSET**0.5
        return keras.ops.sign(features) * size


def readout(config: FeaturesConfig, backbone: Backbone) -> Readout:
    """What the settings ask for, at the backbone's own image size where the resolution is 1."""
    height, width = (_enlarged(side, config.resolution) for side in backbone.size)
    return Readout(height, width, config.pooling, config.rooted)


def _enlarged(side: int, resolution: float) -> int:
    """The side in pixels, to the nearest multiple of 32, by which all backbones reduce their images."""
    return side if resolution == 1 else max(32, 32 * round(side * resolution / 32))


def _middle(length: int) -> tuple[int, int]:
    """How many positions to cut off at either end, so that the middle half (rounded up) remains."""
    return length // 4, length // 4
