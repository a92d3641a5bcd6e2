"""An ONNX network read by OpenVINO: which input takes the image, which output holds what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackboneError
from ..native_stderr import hushed
from .onnx_outputs import PROBED, Outputs, choose_outputs
from .zoo import STRIDE, enlarged

if TYPE_CHECKING:
    import openvino as ov


@dataclass(frozen=True)
class OnnxNetwork:
    """A graph whose shapes are known, for `PROBED` images of one size.

    Attributes:
        path: the file.
        graph: the `openvino.Model`, reshaped.
        pixels: its image input, `(n, 3, h, w)` or `(n, h, w, 3)`.
        size: height and width in pixels of the images.
        channels_last: whether the input is `(n, h, w, 3)`.
        outputs: what features are read off.

    """

    path: Path
    graph: ov.Model
    pixels: Any
    size: tuple[int, int]
    channels_last: bool
    outputs: Outputs


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
    """Read a file, fix the size of its images, and find what to read features off; see `choose_outputs`.

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
    return OnnxNetwork(path, graph, parameter, size, channels_last, choose_outputs(path, graph, own, size))


def size_that_runs(own: OnnxNetwork, resolution: float) -> tuple[int, int] | None:
    """The size at a multiple of a network's own one, or None if the graph does not run at it.

    It runs if shapes fit throughout and the map or the grid of tokens grows with the image.
    """
    multiples = own.outputs.grid.patch if own.outputs.grid else (STRIDE, STRIDE)
    height, width = (
        enlarged(side, resolution, patch) for side, patch in zip(own.size, multiples, strict=True)
    )
    try:
        other = open_network(own.path, (height, width))
    except BackboneError:
        return None
    if own.outputs.positions is None or other.outputs.positions is None:
        return (height, width) if own.outputs.positions == other.outputs.positions else None
    expected = [
        count * new / old
        for count, new, old in zip(own.outputs.positions, (height, width), own.size, strict=True)
    ]
    grown = all(abs(a - b) <= 1 for a, b in zip(expected, other.outputs.positions, strict=True))
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


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1][:160] if lines else type(error).__name__
