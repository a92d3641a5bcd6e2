"""How a vector is read off a backbone's map of features: at what image size, pooled where, and rooted."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What is done with the maps `(N, h, w, C)` that a backbone makes of images of `height` x `width` pixels.

    `pooling` is

    - `mean`: over all positions of the last map, C features;
    - `mean+center`: that, and the mean over the middle half of the rows and columns, where the subject is;
    - `pyramid`: both, of the last map at every scale of the backbone, and of the finer ones the standard
      deviation over the middle too. Colours and textures are seen there, and hardly in the last map.

    `rooted` features are signed square roots, which keeps a few strong ones from outshouting the others:
    Perronnin, Sanchez and Mensink, "Improving the Fisher Kernel for Large-Scale Image Classification", ECCV
    2010, section 3.2. `mirrored` features are the mean of those of the image and of its mirror image, which
    doubles the work: test-time augmentation, as in Krizhevsky, Sutskever and Hinton, "ImageNet
    Classification with Deep Convolutional Neural Networks", NIPS 2012, section 4.1. `colours` adds those
    of the image, in so many places, see there.
    """

    height: int
    width: int
    pooling: str = "mean"
    rooted: bool = False
    mirrored: bool = False
    colours: int = 0

    def __str__(self) -> str:
        marks = [name for name in ("rooted", "mirrored") if getattr(self, name)]
        return "-".join([self.pooling, *marks, *([f"colours{self.colours}"] if self.colours else [])])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the images."""
        return self.height, self.width

    @property
    def takes_levels(self) -> bool:
        """Whether it reads the finer maps too."""
        return self.pooling == "pyramid"

    def attach(
        self, keras: Any, maps: keras.KerasTensor, finer: Sequence[keras.KerasTensor] = ()
    ) -> keras.KerasTensor:
        """Continue a graph from its maps to `(N, D)` features, in layers that are saved without code.

        Args:
            keras: the module.
            maps: the last map.
            finer: those of `levels`, where `takes_levels`.
        """
        pooled = [keras.layers.GlobalAveragePooling2D(name="mean")(maps)]
        if self.pooling != "mean":
            pooled.append(keras.layers.GlobalAveragePooling2D(name="center")(_middle(keras, maps, "middle")))
        for number, level in enumerate(finer, start=1):
            middle = _middle(keras, level, f"middle_{number}")
            pooled.append(keras.layers.GlobalAveragePooling2D(name=f"mean_{number}")(level))
            pooled.append(keras.layers.GlobalAveragePooling2D(name=f"center_{number}")(middle))
            pooled.append(_root(keras, keras.ops.var(middle, axis=(1, 2))))
        features = keras.layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else pooled[0]
        if not self.rooted:
            return features
        return keras.ops.sign(features) * _root(keras, keras.ops.abs(features))


def readout(config: FeaturesConfig, backbone: Backbone) -> Readout:
    """What the settings ask for, at the backbone's own image size where the resolution is 1."""
    height, width = (_enlarged(side, config.resolution) for side in backbone.size)
    return Readout(height, width, config.pooling, config.rooted, config.mirrored, config.colours)


def _enlarged(side: int, resolution: float) -> int:
    """The side in pixels, to the nearest multiple of 32, by which all backbones reduce their images."""
    return side if resolution == 1 else max(32, 32 * round(side * resolution / 32))


def _middle(keras: Any, maps: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """The middle half (rounded up) of the rows and columns."""
    rows, columns = (length // 4 for length in maps.shape[1:3])
    return keras.layers.Cropping2D((rows, columns), name=name)(maps)


def _root(keras: Any, values: keras.KerasTensor) -> keras.KerasTensor:
    """Square roots of what is not negative, 0 at 0, with a finite slope there."""
    return keras.ops.sqrt(values + ROOT_OFFSET) - ROOT_OFFSET**0.5
