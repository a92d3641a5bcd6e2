"""Model packages: one graph from pixels to logits, and what it says of itself.

- `model.xml`, `model.bin`: OpenVINO IR, `(N, H, W, 3) uint8` RGB -> `(N, L) float32` logits
- `attributes.json`: names, thresholds, verdicts, input size, precision, ...: `runtime.record.PackageInfo`
- `head.npz`: the linear head of a frozen model, so that stored features need no forward pass
- `model.keras`: the same model for further training
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

from ..backbones.linear_head import LinearHead
from ..errors import ModelError
from ..runtime.record import GRAPH, HEAD, KERAS, RECORD, SEEN, PackageInfo

SEEN_DIGITS = 16
"""Hex digits kept of a seen image's digest: 64 bits, enough to tell any two images apart."""


def write_package(
    folder: Path,
    graph: Any,
    info: PackageInfo,
    head: LinearHead | None = None,
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


def read_head(folder: Path) -> LinearHead | None:
    """The linear head of a frozen model's package; None for a fine-tuned one.

    Raises:
        ModelError: `head.npz` is there but damaged.
    """
    path = folder / HEAD
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return LinearHead(kernel=arrays["kernel"], bias=arrays["bias"])
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
