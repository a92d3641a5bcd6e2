"""Which backbones can be named, how large they are, and whether their weights are at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..config import FeaturesConfig
from ..errors import BackboneError
from .keras_file import KerasFile, load_network
from .named_backbone import named_backbone
from .onnx_file import OnnxFile
from .pooling import Readout
from .published_weights import PUBLISHED
from .weights import keras_cache
from .zoo import parse_backbone


@dataclass(frozen=True)
class BackboneInfo:
    """One backbone that `--backbone` takes.

    Attributes:
        name: what to give to `--backbone`.
        height: pixels of the images it was trained on.
        width: likewise.
        parameters: number of weights.
        dimension: features per image when its last map is averaged (`features.pooling=mean`); the default
            pooling gives several times more.
        weights_at_hand: whether its weights are on this machine, so that nothing has to be downloaded.
        images_per_second: measured here at the settings asked for, or None.

    """

    name: str
    height: int
    width: int
    parameters: int
    dimension: int
    weights_at_hand: bool
    images_per_second: float | None = None


def list_backbones(
    names: Sequence[str] = (), config: FeaturesConfig | None = None
) -> tuple[BackboneInfo, ...]:
    """Describe some networks, by default every one that Keras has ImageNet weights for.

    Without files neither Keras nor OpenVINO is imported.

    >>> [info.dimension for info in list_backbones() if info.name == "mobilenet@0.25"]
    [256]

    Args:
        names: paths of ONNX files or folders, or of `.keras` files, or names of Keras' networks.
        config: `image_size`, `mean` and `std` override what lies beside the files.

    Raises:
        BackboneError: a file is no image backbone, or a network is unknown.
        ConfigError: a setting does not go with that kind of file.

    """
    if not names:
        return tuple(_of_keras())
    return tuple(_named(name, config or FeaturesConfig()) for name in names)


def _of_keras() -> list[BackboneInfo]:
    cache = keras_cache()
    return [
        BackboneInfo(
            item.name,
            *parse_backbone(item.name).size,
            item.parameters,
            item.channels,
            (cache / item.file).is_file(),
        )
        for item in PUBLISHED
    ]


def _named(text: str, config: FeaturesConfig) -> BackboneInfo:
    backbone = named_backbone(replace(config, backbone=text, weights="imagenet"))
    if isinstance(backbone, OnnxFile):
        parameters, dimension = _onnx_sizes(backbone)
    elif isinstance(backbone, KerasFile):
        parameters, dimension = _keras_sizes(backbone)
    else:
        return _published(str(backbone))
    return BackboneInfo(text, *backbone.own_size, parameters, dimension, weights_at_hand=True)


def _published(name: str) -> BackboneInfo:
    known = {info.name: info for info in _of_keras()}
    if name not in known:
        family = [other for other in known if other.partition("@")[0] == name.partition("@")[0]]
        raise BackboneError(
            f"Keras has no ImageNet weights for {name}, and its size is not listed; "
            f"there are weights for {', '.join(family)}."
        )
    return known[name]


def _onnx_sizes(backbone: OnnxFile) -> tuple[int, int]:
    """Parameters and dimension: every real constant of the graph counts as parameters."""
    from .onnx_graph import build_onnx
    from .onnx_network import read_onnx

    constants = (op for op in read_onnx(backbone.path).get_ops() if op.get_type_name() == "Constant")
    parameters = sum(math.prod(op.get_output_shape(0)) for op in constants if op.get_element_type().is_real())
    graph = build_onnx(backbone, Readout(*backbone.own_size))
    return parameters, int(graph.output(0).get_partial_shape()[1].get_length())


def _keras_sizes(backbone: KerasFile) -> tuple[int, int]:
    from .build import import_keras

    network = load_network(import_keras(), backbone, backbone.own_size)
    return int(network.count_params()), int(network.output.shape[-1])
