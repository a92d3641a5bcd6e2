"""Backbones as Keras models from uint8 pixels to features. The first module that imports TensorFlow."""

from __future__ import annotations

import contextlib
import inspect
import os
import random
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BackboneError
from ..native_stderr import hushed
from .color_histogram import color_histogram
from .feature_pyramid import keras_pyramid
from .keras_file import KerasFile, load_network
from .named_backbone import Backbone
from .onnx_file import OnnxFile, no_keras_model
from .pooling import Readout
from .preprocessing import Preprocessing, probe_preprocessing
from .weights import keras_cache, weights_path
from .zoo import KerasApplication

if TYPE_CHECKING:
    import keras

_IMPORTING = threading.Lock()

_SEED = 0
"""Random weights are the same in every run, so that their features may be stored too."""


def import_keras() -> ModuleType:
    """Import Keras on TensorFlow (6 s the first time) without its chatter on the user's screen.

    TensorFlow's C++ code writes to the screen before its log level is read; what it says is shown only if
    the import fails.
    """
    with _IMPORTING:  # another thread may be at it: a half-imported module is in `sys.modules` too
        if "keras" in sys.modules and "tensorflow" in sys.modules:
            return sys.modules["keras"]
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        with hushed() as said:
            try:
                import keras  # noqa: F401
                import tensorflow  # noqa: F401  (Keras imports it; named here as what takes the time)
            except BaseException:
                print(said(), file=sys.stderr)
                raise
        return sys.modules["keras"]


def build_backbone(
    backbone: Backbone, weights: str, readout: Readout | None = None
) -> tuple[keras.Model, Path | None]:
    """Build the graph uint8 pixels -> preprocessing -> backbone -> features read off its map.

    The backbone runs in inference mode (batch normalization uses its stored statistics), also when a model is
    trained on top of it.

    Args:
        backbone: from `named_backbone`.
        weights: `imagenet` (downloaded by Keras, or found in its cache folder), `none` (random, but always
            the same), or the path of an .h5 file without the top. For EfficientNetB0 to B7 that file is
            taken to be in the form of Keras' own ImageNet weights, which have a graph of their own. A
            `KerasFile` holds its own weights.
        readout: image size and pooling; by default the backbone's own size and the mean over positions.

    Returns:
        A model `(N, H, W, 3) uint8 -> (N, D) float32` in RGB, and the weights file that was loaded, if any.

    Raises:
        BackboneError: the weights cannot be downloaded, are not there, or do not fit; the network is an ONNX
            file, which Keras cannot train; more than one place for colors is asked for without a map.

    """
    if isinstance(backbone, OnnxFile):
        raise no_keras_model(backbone)
    keras = import_keras()
    readout = readout or Readout(*backbone.size_at(1))
    pixels = keras.Input((*readout.size, 3), dtype="uint8", name="pixels")
    file: Path | None
    if isinstance(backbone, KerasFile):
        inner, file = load_network(keras, backbone, readout.size), backbone.path
        prepared = keras.ops.cast(pixels, "float32")
    else:
        inner, file, preprocessing = _application(keras, backbone, weights, readout.size)
        prepared = _preprocess(keras, pixels, preprocessing)
    features = _features(keras, inner, pixels, prepared, readout)
    return keras.Model(pixels, features, name="backbone"), file


def _features(
    keras: ModuleType, inner: keras.Model, pixels: keras.KerasTensor, prepared: Any, readout: Readout
) -> keras.KerasTensor:
    """Read features off the maps of a network.

    A network that ends in a vector gives that vector, followed by features of its inner maps if the pooling
    is not `mean` and there are maps at two scales or more.
    """
    vector = len(inner.output.shape) == 2
    scales = keras_pyramid(inner) if readout.takes_levels or vector else {}
    if not vector:
        finer = [level for level in scales.values() if level.shape[1] > inner.output.shape[1]]
        maps = [*finer, inner.output]
    else:
        maps = list(scales.values()) if len(scales) > 1 and readout.pooling != "mean" else []
    if not readout.takes_levels:
        maps = maps[-1:]
    network = keras.Model(inner.input, [inner.output] * vector + maps, name=inner.name)
    features = network(prepared, training=False)
    last, finer = None, features[int(vector) : -1]
    if maps:
        last = features[-1]
        features = [*features[: int(vector)], readout.attach(keras, last, finer)]
    if readout.colors:
        if last is None and readout.colors > 1:
            raise BackboneError(
                "The backbone ends in a vector, so it cannot learn where to look for colors: "
                "set features.colors to 0 or 1, or save it without its last pooling."
            )
        features += color_histogram(keras, pixels, last, readout.colors)
    return keras.layers.Concatenate(name="all_features")(features) if len(features) > 1 else features[0]


def _application(
    keras: ModuleType, backbone: KerasApplication, weights: str, size: tuple[int, int]
) -> tuple[keras.Model, Path | None, Preprocessing]:
    """A network of `keras.applications`, the file of its weights, and its preprocessing."""
    function = partial(getattr(keras.applications, backbone.function), input_shape=(*size, 3))
    file: Path | None = None
    if weights == "none":
        with _seeded(keras):
            inner = _call(function, backbone, None)
    elif weights == "imagenet":
        inner, file = _with_imagenet(function, backbone)
    else:
        file = weights_path(weights)
        inner = _with_file(function, backbone, file)
    return inner, file, probe_preprocessing(sys.modules[function.func.__module__].preprocess_input)


def _preprocess(keras: ModuleType, pixels: Any, form: Preprocessing) -> Any:
    """Write the affine form as layers that are saved without code (no Lambda)."""
    x = keras.ops.cast(pixels, "float32")
    if form.flip:
        x = keras.ops.flip(x, axis=-1)
    if form == Preprocessing(False, (1.0,) * 3, (0.0,) * 3):  # the network does it by itself
        return x
    return keras.layers.Rescaling(list(form.scale), list(form.offset), name="preprocessing")(x)


def _call(function: Any, backbone: KerasApplication, weights: str | None) -> keras.Model:
    options: dict[str, Any] = {"alpha": backbone.width} if backbone.has_width else {}
    return function(include_top=False, weights=weights, **options)


def _with_imagenet(function: Any, backbone: KerasApplication) -> tuple[keras.Model, Path | None]:
    with _noting_files() as files, contextlib.redirect_stdout(sys.stderr):  # stdout carries results only
        try:
            inner = _call(function, backbone, "imagenet")
        except Exception as error:  # what Keras raises when a download fails has no class of its own
            if files.loaded is not None:
                raise _misfit(backbone, files.loaded) from error
            if files.asked is not None:
                raise BackboneError(
                    f"The ImageNet weights of {backbone} cannot be downloaded ({_cause(error)}); "
                    f"put {files.asked} into {keras_cache()} by hand, or give --weights PATH or none."
                ) from error
            if isinstance(error, ValueError):
                raise BackboneError(
                    f"Keras has no ImageNet weights for backbone {backbone} ({_cause(error)}); "
                    "give --weights PATH or --weights none."
                ) from error
            raise
    return inner, files.loaded


def _with_file(function: Any, backbone: KerasApplication, file: Path) -> keras.Model:
    try:
        if backbone.name.startswith("efficientnetb"):
            # Keras builds another graph for its ImageNet weights (one more rescaling) than without any.
            with _noting_files(stand_in=file):
                return _call(function, backbone, "imagenet")
        inner = _call(function, backbone, None)
        inner.load_weights(file)
        return inner
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _misfit(backbone, file) from error


def _misfit(backbone: KerasApplication, file: Path) -> BackboneError:
    return BackboneError(
        f"The weights file {file} does not fit backbone {backbone} or is damaged; "
        "give one that was saved without the top at this width, or delete it if it was not downloaded whole."
    )


def _cause(error: BaseException) -> str:
    text = str(error).strip().splitlines() or [type(error).__name__]
    return text[0][:200]


class _Files:
    """Which weights file Keras asked for by name, and which it was given."""

    def __init__(self) -> None:
        self.asked: str | None = None
        self.loaded: Path | None = None


@contextlib.contextmanager
def _noting_files(stand_in: Path | None = None) -> Iterator[_Files]:
    """Note the file that Keras' applications fetch, or give them another one in its place.

    Each of them calls `file_utils.get_file`; Keras has no public way to learn the file's name.
    """
    import keras

    module = inspect.getmodule(inspect.unwrap(keras.utils.get_file))
    original = module.get_file  # type: ignore[union-attr]
    files = _Files()

    def get_file(fname: str, *arguments: Any, **options: Any) -> str:
        files.asked = fname
        path = str(stand_in) if stand_in else original(fname, *arguments, **options)
        files.loaded = Path(path)
        return path

    module.get_file = get_file  # type: ignore[union-attr]
    try:
        yield files
    finally:
        module.get_file = original  # type: ignore[union-attr]


@contextlib.contextmanager
def _seeded(keras: ModuleType) -> Iterator[None]:
    """Draw initial weights from a constant seed and leave Python's and NumPy's generators as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(_SEED)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
