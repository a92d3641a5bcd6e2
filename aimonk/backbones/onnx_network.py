"""An ONNX network read by OpenVINO: which input takes the image, which output holds what was seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackboneError
from ..native_stderr import hushed
from .feature_pyramid import scale_of
from .token_grid import Grid, MisfitTokens, token_grid
from .zoo import STRIDE, enlarged

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
class OnnxNetwork:
    """A graph whose shapes are known, for `PROBED` images of one size.

    Attributes:
        path: the file.
        graph: the `openvino.Model`, reshaped.
        pixels: its image input, `(n, 3, h, w)` or `(n, h, w, 3)`.
        size: height and width in pixels of the images.
        channels_last: whether the input is `(n, h, w, 3)`.
        maps: an output `(n, c, h, w)`, or `(n, h, w, c)` where `maps_last`, if there is one.
        maps_last: whether the channels of the map come last (timm's Swin, TensorFlow).
        tokens: else an output `(n, t, d)`, if there is one.
        grid: how the tokens lie in the image.
        vectors: outputs `(n, d)` or `(n, d, 1, 1)` to take as they are.

    """

    path: Path
    graph: ov.Model
    pixels: Any
    size: tuple[int, int]
    channels_last: bool
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


def read_onnx(path: Path) -> ov.Model:
    """Read an ONNX file.

    Raises:
        BackboneError: it is damaged, incomplete or uses what OpenVINO does not know.

    """
    import openvino as ov

    try:
        with hushed():  # of a damaged file TensorFlow's reader complains too, on the user's screen
            return ov.Core().read_model(path)
    except RuntimeError as error:
        cause = "it is damaged or in another format" if "Unable to read" in str(error) else _last_line(error)
        raise BackboneError(
            f"The backbone {path} cannot be read as an ONNX network ({cause}); export it again, with all of "
            "its files."
        ) from error


def declared_size(graph: ov.Model, path: Path) -> tuple[int, int] | None:
    """Height and width of the images that a graph was exported for; None where it takes any."""
    parameter, channels_last = _image_input(graph, path)
    shape = parameter.get_partial_shape()
    sides = [shape[axis] for axis in ((1, 2) if channels_last else (2, 3))]
    if any(side.is_dynamic for side in sides):
        return None
    return sides[0].get_length(), sides[1].get_length()


def open_network(path: Path, size: tuple[int, int]) -> OnnxNetwork:
    """Read a file, fix the size of its images, and find what to read features off.

    Of the outputs that depend on the image alone a map comes first, then tokens, then vectors, and
    `last_hidden_state` before others of its kind; else the coarsest map, and of equal ones that with the most
    channels. The embedding that a network was trained to make is taken
    beside maps and tokens: `image_embeds`, and the `pooler_output` of transformers without a class token
    (SigLIP), since that of the others repeats the class token or was never trained.

    Raises:
        BackboneError: it is no image network, ends in class scores, or does not run at that size.

    """
    graph = read_onnx(path)
    parameter, channels_last = _image_input(graph, path)
    shape = [PROBED, *size, 3] if channels_last else [PROBED, 3, *size]
    own = [output for output in graph.outputs if _reads_only(output, parameter)]
    if not own:
        raise BackboneError(
            f"No output of {path} depends on an image alone; export the image network by itself."
        )
    try:
        graph.reshape({parameter.output(0): shape})
    except RuntimeError as error:
        raise BackboneError(
            f"The backbone {path} does not run on {size[0]} x {size[1]} pixels ({_last_line(error)}); set "
            "features.resolution to 1, or export it with a batch of any size (dynamic axes)."
        ) from error
    return _outputs(path, graph, parameter, size, channels_last, own)


def _outputs(
    path: Path,
    graph: ov.Model,
    parameter: Any,
    size: tuple[int, int],
    channels_last: bool,
    own: Sequence[Any],
) -> OnnxNetwork:
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
    maps = [output for output in own if len(_dims(output)) == 4 and _dims(output)[2:] != [1, 1]]
    tokens = [output for output in own if len(_dims(output)) == 3]
    flat = {name: output for output in own if _is_vector(output) for name in output.get_names()}
    vectors = [flat[name] for name in ("image_embeds",) if name in flat]
    network = partial(OnnxNetwork, path, graph, parameter, size, channels_last)
    if maps:
        best = _coarsest(maps, size)
        return network(_value(best), _channels_last(best, size, path), None, None, _values(vectors))
    if tokens:
        best = _preferred(tokens)
        try:
            grid = token_grid(graph, _dims(best)[1], size)
        except MisfitTokens as error:
            raise BackboneError(f"{path} is no image backbone: {error}.") from None
        if not grid.prefix and "pooler_output" in flat:
            vectors.append(flat["pooler_output"])
        return network(None, False, _value(best), grid, _values(vectors))
    chosen = next((flat[name] for name in ("image_embeds", "pooler_output") if name in flat), own[-1])
    if not _is_vector(chosen):
        raise BackboneError(f"{path} is no image backbone: it puts out neither a map, tokens nor a vector.")
    return network(None, False, None, None, (_value(chosen),))


def _value(output: ov.Output) -> ov.Output:
    """What a result of the graph is given: the result itself cannot be computed with."""
    return output.get_node().input_value(0)


def _values(outputs: Sequence[ov.Output]) -> tuple[ov.Output, ...]:
    return tuple(map(_value, outputs))


def size_that_runs(own: OnnxNetwork, resolution: float) -> tuple[int, int] | None:
    """The size at a multiple of a network's own one, or None if the graph does not run at it.

    It runs if shapes fit throughout and the map or the grid of tokens grows with the image.
    """
    multiples = own.grid.patch if own.grid else (STRIDE, STRIDE)
    height, width = (
        enlarged(side, resolution, patch) for side, patch in zip(own.size, multiples, strict=True)
    )
    try:
        other = open_network(own.path, (height, width))
    except BackboneError:
        return None
    if own.positions is None or other.positions is None:
        return (height, width) if own.positions == other.positions else None
    expected = [
        count * new / old for count, new, old in zip(own.positions, (height, width), own.size, strict=True)
    ]
    grown = all(abs(a - b) <= 1 for a, b in zip(expected, other.positions, strict=True))
    return (height, width) if grown else None


def _image_input(graph: ov.Model, path: Path) -> tuple[Any, bool]:
    """The parameter that takes the image, and whether its channels come last."""
    found = []
    for parameter in graph.get_parameters():
        shape = parameter.get_partial_shape()
        if shape.rank.is_dynamic or len(shape) != 4 or not parameter.get_element_type().is_real():
            continue
        first, last = shape[1], shape[3]
        if last.is_static and last.get_length() == 3 and not (first.is_static and first.get_length() == 3):
            found.append((parameter, True))
        elif first.is_dynamic or first.get_length() == 3:
            found.append((parameter, False))
    found.sort(key=lambda item: "pixel_values" not in item[0].output(0).get_names())
    if not found:
        takes = ", ".join(
            f"{parameter.get_friendly_name()} {parameter.get_element_type().to_string()}"
            f"{parameter.get_partial_shape()}"
            for parameter in graph.get_parameters()
        )
        raise BackboneError(
            f"{path} is no image backbone: none of its inputs takes color images in floating-point numbers "
            f"(it takes {takes})."
        )
    return found[0]


def _reads_only(output: ov.Output, parameter: Any) -> bool:
    """Whether an output depends on this parameter and on no other."""
    seen: set[str] = set()
    found: set[str] = set()
    waiting = [output.get_node()]
    while waiting:
        node = waiting.pop()
        if node.get_name() in seen:
            continue
        seen.add(node.get_name())
        if node.get_type_name() == "Parameter":
            found.add(node.get_name())
        waiting += [value.get_node() for value in node.input_values()]
    return found == {parameter.get_name()}


def _channels_last(maps: ov.Output, size: tuple[int, int], path: Path) -> bool:
    dims = _dims(maps)
    if scale_of(dims[2:], size) is not None:
        return False
    if scale_of(dims[1:3], size) is not None:
        return True
    raise BackboneError(f"{path} is no image backbone: its output {dims[1:]} is no map of the image.")


def _coarsest(maps: Sequence[ov.Output], size: tuple[int, int]) -> ov.Output:
    """`last_hidden_state`, else the map with the fewest positions; the last of equal ones."""

    def positions(output: ov.Output) -> tuple[int, int]:
        dims = _dims(output)
        rows, columns = dims[2:] if scale_of(dims[2:], size) is not None else dims[1:3]
        return rows * columns, -math.prod(dims) // (rows * columns)

    named = [output for output in maps if "last_hidden_state" in output.get_names()]
    return named[-1] if named else min(reversed(maps), key=positions)


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


def _preferred(outputs: Sequence[ov.Output]) -> ov.Output:
    """`last_hidden_state`, else the last one: networks put out their maps from fine to coarse."""
    named = [output for output in outputs if "last_hidden_state" in output.get_names()]
    return (named or list(outputs))[-1]


def _dims(output: ov.Output) -> list[int]:
    return [int(axis.get_length()) for axis in output.get_partial_shape()]


def _is_batched(output: ov.Output) -> bool:
    shape = output.get_partial_shape()
    return not shape.is_dynamic and len(shape) > 1 and shape[0].get_length() == PROBED


def _is_vector(output: ov.Output) -> bool:
    """Whether it is `(n, d)` or `(n, d, 1, 1)`."""
    return len(_dims(output)) == 2 or (len(_dims(output)) == 4 and _dims(output)[2:] == [1, 1])


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1][:160] if lines else type(error).__name__
