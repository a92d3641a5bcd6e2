"""A backbone's graph on disk (OpenVINO IR in f32): converted once, checked whenever it is opened."""

from __future__ import annotations

import contextlib
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..atomic_files import recall, remember, temporary_beside, unwritable
from .digest import digest_of

if TYPE_CHECKING:
    import keras
    import openvino as ov

GRAPH = "backbone.xml"
_FILES = (GRAPH, "backbone.bin")
_FACTS = "ir.json"


def is_sound(folder: Path) -> bool:
    """Whether the graph in a folder has all the bytes it was written with (0.06 s per 100 MB)."""
    facts = recall(folder / _FACTS)
    if facts is None or not all((folder / name).is_file() for name in _FILES):
        return False
    return all(digest_of(folder / name) == facts["sha256"].get(name) for name in _FILES)


def convert(model: keras.Model, output: str) -> ov.Model:
    """Convert a Keras model `(N, H, W, 3) uint8 -> (N, D) float32` into OpenVINO's form, in f32.

    Args:
        model: the Keras model.
        output: name of the output; the input is named `pixels`.

    """
    import openvino as ov

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Keras: OpenVINO passes the input in a tuple
        graph = ov.convert_model(model)
    graph.reshape([-1, *model.input_shape[1:]])
    graph.inputs[0].get_tensor().set_names({"pixels"})
    graph.outputs[0].get_tensor().set_names({output})
    return graph


def write_graph(graph: ov.Model, folder: Path) -> None:
    """Write a graph as a whole folder; one that another process wrote meanwhile stays.

    Args:
        graph: `(N, H, W, 3) uint8 -> (N, D) float32`, from `convert`.
        folder: gets `backbone.xml`, `backbone.bin` and `ir.json` with their digests.

    Raises:
        FeatureStoreError: the disk is full, or the folder cannot be written to.

    """
    import openvino as ov

    temporary = temporary_beside(folder)
    try:
        temporary.mkdir(parents=True)
        ov.save_model(graph, temporary / GRAPH, compress_to_fp16=False)
        if not _same(graph, temporary / GRAPH):
            raise OSError("the graph read back is not the graph written")
        digests = {name: digest_of(temporary / name) for name in _FILES}
        remember(temporary / _FACTS, {"sha256": digests, "openvino": ov.__version__})
        with contextlib.suppress(OSError):
            os.rename(temporary, folder)  # fails where another process was first
        if not folder.is_dir():
            raise OSError("the folder cannot be renamed")
    except RuntimeError as error:  # what OpenVINO makes of a full disk
        raise unwritable(folder / GRAPH, OSError(str(error).strip().splitlines()[-1])) from error
    except OSError as error:
        raise unwritable(folder / GRAPH, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _same(graph: ov.Model, written: Path) -> bool:
    """Whether the file computes what the graph in memory does: a short write need not raise."""
    import openvino as ov

    shape = [axis.get_length() for axis in list(graph.inputs[0].get_partial_shape())[1:]]
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    core = ov.Core()
    with_f32 = {"INFERENCE_PRECISION_HINT": "f32"}
    first, second = (core.compile_model(model, "CPU", with_f32)(images)[0] for model in (graph, str(written)))
    return bool(np.array_equal(first, second, equal_nan=True))
