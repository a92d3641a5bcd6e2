"""How a vector is read off a backbone's maps: at what image size, pooled where, with which colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import FeaturesConfig
from .named_backbone import Backbone

if TYPE_CHECKING:
    import keras

ROOT_OFFSET = 1e-6
"""Keeps the root's slope finite at 0, where most of a rectified map lies, so that it can be fine-tuned."""


@dataclass(frozen=True)
class Readout:
    """How features are read off the maps `(N, h, w, C)` of images of `height` x `width` pixels.

    `pooling` is

    - `mean`: over all positions of the last map, C features;
    - `mean+center`: that, and the mean over the middle half of the rows and columns, where the subject is;
    - `pyramid`: both, of the last map at every scale of the backbone, and of the finer maps the standard
      deviation over the middle too. Colors and textures show there, and hardly in the last map.

    `colors` adds those of the image, in so many places: see `color_histogram`.
    """

    height: int
    width: int
    pooling: str = "mean"
    colors: int = 0

    def __str__(self) -> str:
        return f"{self.pooling}-colors{self.colors}" if self.colors else self.pooling

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
            finer: the maps of the finer scales, where `takes_levels`.
        """
        pooled = [keras.layers.GlobalAveragePooling2D(name="mean")(maps)]
        if self.pooling != "mean":
            pooled.append(keras.layers.GlobalAveragePooling2D(name="center")(_middle(keras, maps, "middle")))
        for number, level in enumerate(finer, start=1):
            middle = _middle(keras, level, f"middle_{number}")
            pooled.append(keras.layers.GlobalAveragePooling2D(name=f"mean_{number}")(level))
            pooled.append(keras.layers.GlobalAveragePooling2D(name=f"center_{number}")(middle))
            pooled.append(_root(keras, keras.ops.var(middle, axis=(1, 2))))
        return keras.layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else pooled[0]


def readout(config: FeaturesConfig, backbone: Backbone) -> Readout:
    """The readout that the settings ask for.

    Raises:
        BackboneError: the backbone is a file that cannot be read.
    """
    height, width = backbone.size_at(config.resolution)
    return Readout(height, width, config.pooling, config.colors)


def margins(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns to leave out on each side for the middle half, rounded up."""
    return rows // 4, columns // 4


def _middle(keras: Any, maps: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.Cropping2D(margins(*maps.shape[1:3]), name=name)(maps)


def _root(keras: Any, values: keras.KerasTensor) -> keras.KerasTensor:
    """Square roots of what is not negative, 0 at 0, with a finite slope there."""
    return keras.ops.sqrt(values + ROOT_OFFSET) - ROOT_OFFSET**0.5
