"""Which output of an ONNX network holds what was seen: a map, tokens or a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BackboneError
from .feature_pyramid import scale_of
from .token_grid import Grid, MisfitTokens, token_grid

if TYPE_CHECKING:
    import openvino as ov

PROBED = 2
"""Images in the batch for which shapes are found: 1 could not be told from a constant."""

SCORES = ("logits", "logits_per_image", "logits_per_text", "text_embeds", "probabilities", "probs")
"""Outputs that are no features of the image."""

DECISIONS = ("Softmax", "LogSoftmax", "Sigmoid", "TopK")
"""Operations that turn scores into an answer; ArgMax is a TopK."""

SHAPING = ("Reshape", "Squeeze", "Unsqueeze", "Convert")


@dataclass(frozen=True)
class Outputs:
    """What features are read off.

    Attributes:
        maps: an output `(n, c, h, w)`, or `(n, h, w, c)` where `maps_last`, if there is one.
        maps_last: whether the channels of the map come last (timm's Swin, TensorFlow).
        tokens: else an output `(n, t, d)`, if there is one.
        grid: how the tokens lie in the image.
        vectors: outputs `(n, d)` or `(n, d, 1, 1)` to take as they are.

    """

    maps: ov.Output | None
    maps_last: bool
    tokens: ov.Output | None
    grid: Grid | None
    vectors: tuple[ov.Output, ...]

    @property
    def positions(self) -> tuple[int, int] | None:
        """Rows and columns of the last map or of the tokens' grid."""
        if self.maps is not None:
            rows, columns = _dims(self.maps)[1:3] if self.maps_last else _dims(self.maps)[2:]
            return rows, columns
        return (self.grid.rows, self.grid.columns) if self.grid else None


def choose_outputs(path: Path, graph: ov.Model, own: Sequence[ov.Output], size: tuple[int, int]) -> Outputs:
    """Choose what to read features off, of the outputs that depend on the image alone.

    A map comes first, then tokens, then vectors, and `last_hidden_state` before others; else the coarsest
    map, and of equal ones that with the most channels. The embedding that a network was trained to make is
    taken beside maps and tokens: `image_embeds`, and the `pooler_output` of transformers without a class
    token (SigLIP), since that of the others repeats the class token or was never trained.

    Args:
        path: the file, for messages.
        graph: with known shapes, for `PROBED` images.
        own: those outputs.
        size: height and width in pixels of the images.

    Raises:
        BackboneError: they are class scores, or neither a map, tokens nor a vector for each image.

    """
    own = [output for output in own if not (output.get_names() & set(SCORES) or _is_decision(output))]
    if not own:
        raise BackboneError(
            f"The backbone {path} ends in class scores; export it without its classifier "
            "(optimum: --task feature-extraction; timm: num_classes=0)."
        )
    own = [output for output in own if _is_batched(output)]
    if not own:
        raise BackboneError(
            f"The backbone {path} gives no result for each image of a batch; export it with a batch of any "
            "size (dynamic axes)."
        )
    planes = [output for output in own if len(_dims(output)) == 4 and _dims(output)[2:] != [1, 1]]
    maps = [output for output in planes if _map_sides(output, size) is not None]
    tokens = [output for output in own if len(_dims(output)) == 3]
    if any(map(_is_last_state, tokens)):  # attention weights beside them may have a map's shape
        maps = []
    flat = {name: output for output in own if _is_vector(output) for name in output.get_names()}
    if planes and not (maps or tokens or flat):
        raise BackboneError(
            f"{path} is no image backbone: its output {_dims(planes[-1])[1:]} is no map of the image."
        )
    vectors = [flat[name] for name in ("image_embeds",) if name in flat]
    if maps:
        best = _coarsest(_favored(maps), size)
        return Outputs(_value(best), _channels_last(best, size), None, None, _values(vectors))
    if tokens:
        best = _favored(tokens)[-1]
        try:
            grid = token_grid(graph, _dims(best)[1], size)
        except MisfitTokens as error:
            raise BackboneError(f"{path} is no image backbone: {error}.") from None
        if not grid.prefix and "pooler_output" in flat:
            vectors.append(flat["pooler_output"])
        return Outputs(None, False, _value(best), grid, _values(vectors))
    chosen = next((flat[name] for name in ("image_embeds", "pooler_output") if name in flat), own[-1])
    if not _is_vector(chosen):
        raise BackboneError(f"{path} is no image backbone: it puts out neither a map, tokens nor a vector.")
    return Outputs(None, False, None, None, (_value(chosen),))


def _value(output: ov.Output) -> ov.Output:
    """What a result of the graph is given: the result itself cannot be computed with."""
    return output.get_node().input_value(0)


def _values(outputs: Sequence[ov.Output]) -> tuple[ov.Output, ...]:
    return tuple(map(_value, outputs))


def _map_sides(maps: ov.Output, size: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of a map of the image, whichever axis its channels are; None where it is no map."""
    dims = _dims(maps)
    for rows, columns in (dims[2:], dims[1:3]):
        if scale_of((rows, columns), size) is not None:
            return rows, columns
    return None


def _channels_last(maps: ov.Output, size: tuple[int, int]) -> bool:
    return scale_of(_dims(maps)[2:], size) is None


def _coarsest(maps: Sequence[ov.Output], size: tuple[int, int]) -> ov.Output:
    """The map with the fewest positions, of equal ones that with the most channels, then the last."""

    def positions(output: ov.Output) -> tuple[int, int]:
        rows, columns = _map_sides(output, size) or (1, 1)
        return rows * columns, -math.prod(_dims(output)) // (rows * columns)

    return min(reversed(maps), key=positions)


def _is_decision(output: ov.Output) -> bool:
    """Whether a vector is what a classifier answers."""
    node = output.get_node().input_value(0).get_node()
    while node.get_type_name() in SHAPING:
        node = node.input_value(0).get_node()
    shape = output.get_partial_shape()
    vector = shape.rank.is_static and (
        len(shape) < 3 or all(axis.is_static and axis.get_length() == 1 for axis in list(shape)[2:])
    )
    return vector and node.get_type_name() in DECISIONS


def _favored(outputs: Sequence[ov.Output]) -> Sequence[ov.Output]:
    """`last_hidden_state` alone where it is among them."""
    return list(filter(_is_last_state, outputs)) or outputs


def _is_last_state(output: ov.Output) -> bool:
    return "last_hidden_state" in output.get_names()


def _dims(output: ov.Output) -> list[int]:
    return [int(axis.get_length()) for axis in output.get_partial_shape()]


def _is_batched(output: ov.Output) -> bool:
    shape = output.get_partial_shape()
    return not shape.is_dynamic and len(shape) > 1 and shape[0].get_length() == PROBED


def _is_vector(output: ov.Output) -> bool:
    """Whether it is `(n, d)` or `(n, d, 1, 1)`."""
    return len(_dims(output)) == 2 or (len(_dims(output)) == 4 and _dims(output)[2:] == [1, 1])
