"""A `.keras` file as a backbone: pixels from 0 to 255 in, a map or a vector out, preprocessing inside."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackboneError
from .digest import digest_of
from .input_spec import InputSpec, size_unknown
from .onnx_file import file_label
from .zoo import enlarged

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class KerasFile:
    """A network saved with `model.save("FILE.keras")`.

    Attributes:
        path: the file.
        spec: the size of its images, if a file beside it or the settings say so.

    """

    path: Path
    spec: InputSpec

    def __str__(self) -> str:
        return f"{file_label(self.path)}.keras"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file in hex.

        Raises:
            BackboneError: it cannot be read.

        """
        return digest_of(self.path)

    @cached_property
    def fixed_size(self) -> tuple[int, int] | None:
        """Height and width it was saved with, or None if it takes images of any size; no Keras is needed.

        Raises:
            BackboneError: the file is damaged, or its network does not take one color image.

        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                shape = _input_shape(json.loads(archive.read("config.json")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise BackboneError(
                f"The backbone {self.path} is damaged or no Keras file; save the network again with "
                'model.save("FILE.keras").'
            ) from error
        if shape is None or len(shape) != 4 or shape[3] != 3:
            raise BackboneError(
                f"{self.path} is no image backbone: it does not take a color image (height, width, 3) alone."
            )
        return None if shape[1] is None or shape[2] is None else (shape[1], shape[2])

    @property
    def own_size(self) -> tuple[int, int]:
        """Height and width in pixels of the images it was trained on.

        Raises:
            BackboneError: nothing says so, or see `fixed_size`.

        """
        size = self.fixed_size or self.spec.size
        if size is None:
            raise size_unknown(self.path)
        return size

    def size_at(self, resolution: float) -> tuple[int, int]:
        """Height and width in pixels at a multiple of its own size, rounded to 32 pixels.

        A network saved for images of one size keeps it; save it with an input of shape (None, None, 3) to let
        `features.resolution` change it.
        """
        if self.fixed_size:
            return self.fixed_size
        height, width = (enlarged(side, resolution) for side in self.own_size)
        return height, width


def load_network(keras: Any, file: KerasFile, size: tuple[int, int]) -> keras.Model:
    """Load the network for images of one size, with the layers of models inside it as its own.

    Args:
        keras: the module.
        file: the file.
        size: height and width in pixels.

    Returns:
        A model `(N, H, W, 3) float32` from 0 to 255 `-> (N, h, w, C)` or `(N, C)`.

    Raises:
        BackboneError: the file is damaged, runs code of its own, or puts out neither a map nor a vector.

    """
    try:
        saved = keras.models.load_model(file.path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly every built-in exception for what it cannot rebuild
        raise BackboneError(
            f"The backbone {file.path} cannot be loaded ({_first_line(error)}); save it as a functional or "
            "sequential model of Keras' own layers, without Lambda."
        ) from error
    image = keras.Input((*size, 3), name="image")
    try:
        network = keras.Model(image, _Copy(keras)(saved, image), name="network")
    except Exception as error:  # what a layer makes of a shape that does not fit has no class of its own
        raise BackboneError(
            f"The backbone {file.path} does not run on {size[0]} x {size[1]} pixels ({_first_line(error)}); "
            "set features.resolution to 1."
        ) from error
    if isinstance(network.output, list):
        raise BackboneError(
            f"The backbone {file.path} puts out {len(network.output)} results; save it with one of them, "
            "a map or a vector."
        )
    if len(network.output.shape) not in (2, 4):
        raise BackboneError(f"{file.path} is no image backbone: it puts out neither a map nor a vector.")
    if len(network.output.shape) == 2 and _decides(keras, network.layers[-1]):
        raise BackboneError(
            f"The backbone {file.path} ends in class scores; save the network up to the layer before them."
        )
    return network


def _decides(keras: Any, layer: Any) -> bool:
    """Whether a layer turns scores into probabilities."""
    activation = getattr(layer, "activation", None)
    known = keras.activations.softmax, keras.activations.sigmoid
    return isinstance(layer, keras.layers.Softmax) or activation in known


class _Copy:
    """Calls copies of a model's layers, those of models inside it too, so that all maps are within reach."""

    def __init__(self, keras: Any) -> None:
        self.keras = keras
        self.copies: dict[int, Any] = {}

    def __call__(self, layer: Any, *values: Any, **options: Any) -> Any:
        if isinstance(layer, self.keras.Sequential):
            (value,) = values
            for inner in layer.layers:
                value = self(inner, value)
            return value
        if hasattr(layer, "_run_through_graph"):  # functional; Keras has no public name for its graph
            return layer._run_through_graph(
                values[0] if len(values) == 1 else list(values),
                operation_fn=lambda inner: lambda *args, **named: self(inner, *args, **named),
            )
        if not isinstance(layer, self.keras.layers.Layer):  # an operation, which has no weights
            return layer(*values, **options)
        copy = self.copies.get(id(layer))
        if copy is None:
            copy = self.copies[id(layer)] = type(layer).from_config(layer.get_config())
        result = copy(*values, **options)
        copy.set_weights(layer.get_weights())
        return result


def _input_shape(saved: dict[str, Any]) -> list[int | None] | None:
    """The shape of the only input of a functional or sequential model, as `config.json` has it."""
    layers = saved["config"]["layers"]
    shapes = [layer["config"]["batch_shape"] for layer in layers if layer["class_name"] == "InputLayer"]
    if not shapes and saved.get("build_config"):
        shapes = [saved["build_config"]["input_shape"]]
    return shapes[0] if len(shapes) == 1 else None


def _first_line(error: BaseException) -> str:
    foreign = re.search(r"Could not locate class '([^']+)'", str(error))
    if foreign:
        return f"its layer {foreign[1]} is not one of Keras' own"
    if "Lambda" in str(error):
        return "it has a Lambda layer, which is code"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160].rstrip(".") if lines else type(error).__name__
