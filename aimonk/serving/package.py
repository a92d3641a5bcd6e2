"""Model packages: one graph from pixels to logits, what it says of itself, and the code that serves it.

- `model.xml`, `model.bin`: OpenVINO IR, `(N, H, W, 3) uint8` RGB -> `(N, L) float32` logits
- `attributes.json`: names, thresholds, prevalence, verdicts, input size, precision: `info.PackageInfo`
- `head.npz`: the linear head of a frozen model, so that stored features need no forward pass
- `model.keras`: the same model for further training
- `code/aimonk/`: the modules that serve it, as they were when the model was trained
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..training.records import Head
from .info import CODE, GRAPH, HEAD, KERAS, RECORD, SEEN, PackageInfo

SEEN_DIGITS = 16
"""Hex digits kept of a seen image's digest: 64 bits, enough to tell any two images apart."""

_ROOT = Path(__file__).resolve().parents[1]
SHIPPED = (
    "__init__.py",
    "errors.py",
    "data/__init__.py",
    "data/images.py",
    "serving/__init__.py",
    "serving/info.py",
    "serving/predictor.py",
)
"""Modules copied into every package; they import nothing of aimonk but each other, and relatively."""


def append_head(backbone: Path | Any, head: Head) -> Any:
    """Return a new `openvino.Model`: the backbone's features, then `features @ kernel + bias`.

    Args:
        backbone: IR file or `openvino.Model`, `(N, H, W, 3) uint8` -> `(N, D) float32`; left as it is.
        head: the linear head on those features.

    The product is written as a sum over D of `features (N, D, 1) * kernel (1, D, L)`: under a bf16 hint
    the CPU plugin computes a MatMul in bf16 (measured on ResNet50: logits off by 0.5%), but leaves the
    elementwise tail after the last convolution in f32. The transposed layout, `(N, 1, D) * (1, L, D)`, must
    not be used: OpenVINO 2026.4 computes wrong sums for it behind a global average pooling.

    Raises:
        ModelError: the backbone's width is not the head's.
    """
    import openvino
    from openvino import opset13 as ops

    graph = openvino.Core().read_model(backbone) if isinstance(backbone, Path) else backbone.clone()
    features = graph.output(0).get_node().input_value(0)
    width = features.get_partial_shape()[1]
    if width != head.kernel.shape[0]:
        raise ModelError(
            f"The backbone has {width} features per image, the head expects {head.kernel.shape[0]}."
        )
    kernel = ops.constant(np.ascontiguousarray(head.kernel, dtype=np.float32)[None])
    bias = ops.constant(np.ascontiguousarray(head.bias, dtype=np.float32)[None])
    products = ops.multiply(ops.unsqueeze(features, ops.constant(np.array([2]))), kernel)
    logits = ops.add(ops.reduce_sum(products, ops.constant(np.array([1])), False), bias)
    model = openvino.Model([ops.result(logits)], graph.get_parameters(), "aimonk")
    model.input(0).set_names({"image"})
    model.output(0).set_names({"logits"})
    return model


def write_package(
    folder: Path,
    graph: Any,
    info: PackageInfo,
    head: Head | None = None,
    save_keras: Callable[[Path], object] | None = None,
    seen: Sequence[str] = (),
) -> None:
    """Write a package beside `folder`, then put it there; an older package of that name is replaced.

    Args:
        folder: the package's folder; its parents are created.
        graph: an `openvino.Model` from pixels to logits, see the module.
        info: what `attributes.json` says.
        head: for frozen models, the head that is part of `graph`.
        save_keras: writes the Keras model to the path it is given; it must end in `.keras`.
        seen: hex SHA-256 of the image files it was trained or tuned on.

    Raises:
        ModelError: the folder cannot be written.
    """
    import openvino

    with _written_beside(folder) as parts:
        openvino.save_model(graph, parts / GRAPH, compress_to_fp16=False)
        (parts / RECORD).write_text(info.to_json(), encoding="utf-8")
        if head is not None:
            np.savez(parts / HEAD, kernel=head.kernel, bias=head.bias)
        if save_keras is not None:
            save_keras(parts / KERAS)
        (parts / SEEN).write_text(
            json.dumps(sorted({digest[:SEEN_DIGITS] for digest in seen})), encoding="utf-8"
        )
        for module in SHIPPED:
            target = parts / CODE / "aimonk" / module
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_ROOT / module, target)


def read_head(folder: Path) -> Head | None:
    """The linear head of a frozen model's package; None for a fine-tuned one.

    Raises:
        ModelError: `head.npz` is there but damaged.
    """
    path = folder / HEAD
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Head(kernel=arrays["kernel"], bias=arrays["bias"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"The head in {path} cannot be read ({error}); fetch the package anew.") from None


def read_seen(folder: Path) -> frozenset[str]:
    """The first `SEEN_DIGITS` digits of the digests of the images a package was trained or tuned on."""
    try:
        return frozenset(json.loads((folder / SEEN).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder / SEEN} cannot be read ({error}); fetch the package anew.") from None


@contextmanager
def _written_beside(folder: Path) -> Iterator[Path]:
    """A new folder beside the target, renamed to it at the end, removed if anything fails before."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    replaced = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        beside.mkdir(parents=True)
        yield beside
        if folder.exists():
            folder.rename(replaced)
        beside.rename(folder)
    except OSError as error:
        raise ModelError(
            f"The model package cannot be written to {folder}: {error.strerror or error}."
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
