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
from .color_histogram import colours
from .feature_pyramid import levels
from .pooling import Readout
from .preprocessing import Preprocessing, probe_preprocessing
from .weights import keras_cache, weights_path
from .zoo import Backbone, backbone_names, parse_backbone

if TYPE_CHECKING:
    import keras

__all__ = ["Backbone", "backbone_names", "build_backbone", "import_keras", "parse_backbone"]

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
                import keras
                import tensorflow  # noqa: F401  (Keras imports it; named here as what takes the time)
            except BaseException:
                print(said(), file=sys.stderr)
                raise
        return keras


def build_backbone(
    backbone: Backbone, weights: str, readout: Readout | None = None
) -> tuple[keras.Model, Path | None]:
    """Build the graph uint8 pixels -> preprocessing -> backbone -> features read off its map.

    The backbone runs in inference mode (batch normalisation uses its stored statistics), also when a
    model is trained on top of it.

    Args:
        backbone: from `parse_backbone`.
        weights: `imagenet` (downloaded by Keras, or found in its cache folder), `none` (random, but always
            the same), or the path of an .h5 file without the top. For EfficientNetB0 to B7 that file is
            taken to be in the form of Keras' own ImageNet weights, which have a graph of their own.
        readout: image size and pooling; by default the backbone's own size and the mean over positions.

    Returns:
        A model `(N, H, W, 3) uint8 -> (N, D) float32` in RGB, and the weights file that was loaded, if any.

    Raises:
        BackboneError: the weights cannot be downloaded, are not there, or do not fit.

    """
    keras = import_keras()
    readout = readout or Readout(*backbone.size)
    function = partial(getattr(keras.applications, backbone.function), input_shape=(*readout.size, 3))
    if weights == "none":
        with _seeded(keras):
            inner, file = _call(function, backbone, None), None
    elif weights == "imagenet":
        inner, file = _with_imagenet(function, backbone)
    else:
        file = weights_path(weights)
        inner = _with_file(function, backbone, file)
    preprocessing = probe_preprocessing(sys.modules[function.func.__module__].preprocess_input)
    pixels = keras.Input((*readout.size, 3), dtype="uint8", name="pixels")
    if readout.takes_levels:
        inner = keras.Model(inner.input, [inner.output, *levels(inner)], name=inner.name)
    maps = inner(_preprocess(keras, pixels, preprocessing), training=False)
    last, *finer = maps if readout.takes_levels else [maps]
    features = readout.attach(keras, last, finer)
    if readout.colours:
        seen = colours(keras, pixels, last, readout.colours)
        features = keras.layers.Concatenate(name="with_colours")([features, *seen])
    model = keras.Model(pixels, features, name="backbone")
    return _mirrored(keras, model) if readout.mirrored else model, file


def _mirrored(keras: ModuleType, model: keras.Model) -> keras.Model:
    """The mean of what a model says of an image and of its mirror image."""
    pixels = keras.Input(model.input.shape[1:], dtype="uint8", name="pixels")
    both = [model(pixels), model(keras.ops.flip(pixels, axis=2))]
    return keras.Model(pixels, keras.layers.Average(name="mirrored")(both), name="mirrored_backbone")


def _preprocess(keras: ModuleType, pixels: Any, form: Preprocessing) -> Any:
    """Write the affine form as layers that are saved without code (no Lambda)."""
    x = keras.ops.cast(pixels, "float32")
    if form.flip:
        x = keras.ops.flip(x, axis=-1)
    if form == Preprocessing(False, (1.0,) * 3, (0.0,) * 3):  # the network does it by itself
        return x
    return keras.layers.Rescaling(list(form.scale), list(form.offset), name="preprocessing")(x)


def _call(function: Any, backbone: Backbone, weights: str | None) -> keras.Model:
    options: dict[str, Any] = {"alpha": backbone.width} if backbone.has_width else {}
    return function(include_top=False, weights=weights, **options)


def _with_imagenet(function: Any, backbone: Backbone) -> tuple[keras.Model, Path | None]:
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


def _with_file(function: Any, backbone: Backbone, file: Path) -> keras.Model:
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


def _misfit(backbone: Backbone, file: Path) -> BackboneError:
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
