"""From an ONNX network to the graph that is stored and served: `(N, H, W, 3) uint8 -> (N, D) float32`.

Preprocessing, pooling and colors are written in OpenVINO's operations, as `Readout.attach` and
`color_histogram` write them in Keras' layers. No TensorFlow is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BackboneError
from .feature_pyramid import onnx_pyramid
from .onnx_colors import onnx_colors
from .onnx_file import OnnxFile
from .onnx_network import OnnxNetwork
from .pooling import ROOT_OFFSET, Readout, margins
from .preprocessing import Preprocessing
from .token_grid import Grid

if TYPE_CHECKING:
    import openvino as ov


def build_onnx(file: OnnxFile, readout: Readout) -> ov.Model:
    """Build the graph of an ONNX backbone.

    The features are, in this order, those of its maps as `Readout` says, or of its tokens the class token, if
    there is one, and the means over all patches and over the middle ones; then vectors that the network puts
    out itself; then the colors. Register tokens are left out.

    Args:
        file: the network.
        readout: image size and pooling. With `pyramid` the finer maps are read too, if the network has maps
            at two scales or more; a transformer has one scale.

    Returns:
        `pixels (N, H, W, 3) uint8 -> features (N, D) float32`.

    Raises:
        BackboneError: the file is no image backbone, or more than one place for colors is asked for, which
            only fine-tuning could tell apart.

    """
    from openvino import opset13 as ops

    if readout.colors > 1:
        raise BackboneError(
            f"The backbone {file.path} is an ONNX network, which cannot be fine-tuned: set training.mode to "
            "frozen and features.colors to 0 or 1, or give the network as a .keras file."
        )
    network = file.network(readout.size)
    pixels = ops.parameter([-1, *readout.size, 3], np.uint8, name="pixels")
    finer, features = _features(ops, network, readout)
    if readout.colors:
        features.append(onnx_colors(ops, pixels, network.outputs.positions or _coarsest(finer)))
    joined = _flat(ops, features[0] if len(features) == 1 else ops.concat(features, 1))
    prepared = _prepared(ops, pixels, file.preprocessing, network)
    for consumer in list(network.pixels.output(0).get_target_inputs()):
        consumer.replace_source_output(prepared.output(0))
    return _replaced(network.graph, pixels, ops.result(joined))


def _replaced(graph: ov.Model, pixels: Any, result: Any) -> ov.Model:
    """The same graph with one input and one output in the place of its own ones.

    A new `ov.Model` of its nodes would not do: what read the ONNX file may be unloaded with the old one,
    which the weights still need.
    """
    graph.add_parameters([pixels])
    for old in graph.get_results():
        graph.remove_result(old)
    graph.add_results([result])
    for old in graph.get_parameters():
        if old.get_name() != pixels.get_name():
            graph.remove_parameter(old)
    graph.validate_nodes_and_infer_types()
    graph.inputs[0].get_tensor().set_names({"pixels"})
    graph.outputs[0].get_tensor().set_names({"features"})
    return graph


def _features(ops: Any, network: OnnxNetwork, readout: Readout) -> tuple[list[ov.Output], list[Any]]:
    """The finer maps, and what is read off them and off the outputs."""
    own = network.outputs
    found = onnx_pyramid(network.graph, network.pixels, network.size).values()
    scales = [_float(ops, level) for level in found]
    maps = own.maps and _float(ops, own.maps)
    finer = scales if own.tokens is None and len(scales) > 1 else []
    features: list[Any] = []
    if maps is not None:
        maps = ops.transpose(maps, [0, 3, 1, 2]).output(0) if own.maps_last else maps
        finer = [level for level in finer if _sides(level) > _sides(maps)]
    elif own.tokens is not None and own.grid is not None:
        features.append(_pooled_tokens(ops, _float(ops, own.tokens), own.grid, readout))
    elif readout.pooling != "mean" and finer:  # the map that the vector was pooled from
        maps, finer = finer[-1], finer[:-1]
    if maps is not None:
        features += _pooled(ops, maps, finer if readout.takes_levels else [], readout)
    return scales, features + [_flat(ops, _float(ops, vector)) for vector in own.vectors]


def _pooled(ops: Any, maps: Any, finer: Sequence[Any], readout: Readout) -> list[Any]:
    """See `Readout.attach`."""
    pooled = [ops.reduce_mean(maps, [2, 3], False)]
    if readout.pooling != "mean":
        pooled.append(ops.reduce_mean(_middle(ops, maps), [2, 3], False))
    for level in finer:
        middle = _middle(ops, level)
        center = ops.reduce_mean(middle, [2, 3], True)
        deviation = ops.subtract(middle, center)
        variance = ops.reduce_mean(ops.multiply(deviation, deviation), [2, 3], False)
        offset = _number(ops, ROOT_OFFSET)
        root = ops.subtract(ops.sqrt(ops.add(variance, offset)), _number(ops, ROOT_OFFSET**0.5))
        pooled += [ops.reduce_mean(level, [2, 3], False), ops.squeeze(center, [2, 3]), root]
    return pooled


def _pooled_tokens(ops: Any, tokens: Any, grid: Grid, readout: Readout) -> Any:
    """The class token and means over patches, `(N, k * d)`, as weighted sums over the tokens.

    Written as one sum of products, not as slices that are joined: OpenVINO 2026.4 crashes on those behind an
    attention without a layer normalization at its end.
    """
    patches = np.zeros((grid.rows, grid.columns), np.float32)
    top, left = margins(grid.rows, grid.columns)
    patches[top : grid.rows - top, left : grid.columns - left] = 1
    means = [np.ones_like(patches), patches][: 1 if readout.pooling == "mean" else 2]
    weights = [np.concatenate([np.zeros(grid.prefix), mean.ravel() / mean.sum()]) for mean in means]
    if grid.prefix:
        weights.insert(0, np.eye(1, len(weights[0]))[0])
    width = tokens.get_partial_shape()[2].get_length()
    constant = ops.constant(np.array(weights, np.float32)[None, :, :, None])
    sums = ops.reduce_sum(ops.multiply(ops.unsqueeze(tokens, [1]), constant), [2], False)
    return ops.reshape(sums, [0, len(weights) * width], True)


def _prepared(ops: Any, pixels: Any, form: Preprocessing, network: OnnxNetwork) -> Any:
    values = ops.convert(pixels, np.float32)
    if form.flip:
        values = ops.gather(values, ops.constant(np.array([2, 1, 0])), ops.constant(3))
    height, width = network.size
    # As rows of width * 3 numbers, since OpenVINO takes several times as long for rows of three.
    rows = ops.reshape(values, [-1, height, width * 3], False)
    rows = ops.multiply(rows, ops.constant(np.tile(np.array(form.scale, np.float32), width)))
    rows = ops.add(rows, ops.constant(np.tile(np.array(form.offset, np.float32), width)))
    values = ops.reshape(rows, [-1, height, width, 3], False)
    if not network.channels_last:
        values = ops.transpose(values, [0, 3, 1, 2])
    return ops.convert(values, network.pixels.get_element_type())


def _middle(ops: Any, maps: Any) -> Any:
    rows, columns = _sides(maps)
    top, left = margins(rows, columns)
    return _part(ops, _part(ops, maps, 2, top, rows - top), 3, left, columns - left)


def _part(ops: Any, values: Any, axis: int, start: int, stop: int) -> Any:
    bounds = [ops.constant(np.array([bound])) for bound in (start, stop, 1, axis)]
    return ops.slice(values, *bounds)


def _float(ops: Any, output: ov.Output) -> ov.Output:
    """The same in float32, for networks that are stored in half precision."""
    if output.get_element_type().to_string() == "f32":
        return output
    return ops.convert(output, np.float32).output(0)


def _flat(ops: Any, vector: Any) -> Any:
    """`(N, D)` or `(N, D, 1, 1)` as `(N, D)`, D known whatever N is."""
    output = vector if hasattr(vector, "get_partial_shape") else vector.output(0)
    width = output.get_partial_shape()[1].get_length()
    return ops.reshape(vector, [0, width], True)


def _sides(maps: Any) -> tuple[int, int]:
    output = maps if hasattr(maps, "get_partial_shape") else maps.output(0)
    shape = output.get_partial_shape()
    return int(shape[2].get_length()), int(shape[3].get_length())


def _coarsest(scales: Sequence[ov.Output]) -> tuple[int, int] | None:
    return _sides(scales[-1]) if len(scales) > 1 else None


def _number(ops: Any, value: float) -> Any:
    return ops.constant(np.float32(value))
