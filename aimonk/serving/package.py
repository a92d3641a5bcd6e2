"""Model packages: one graph from pixels to logits, and what it says of itself.

- `model.xml`, `model.bin`: OpenVINO IR, `(N, H, W, 3) uint8` RGB -> `(N, L) float32` logits
- `attributes.json`: names, thresholds, verdicts, input size, precision, ...: `runtime.record.PackageInfo`
- `head.npz`: the linear head of a frozen model, so that stored features need no forward pass
- `seen.json`: which images it was trained or tuned on
- `model_card.md`: for people
- `environment.txt`: every package of the serving environment, pinned
- `digests.json`: SHA-256 of all these files, checked when the package is loaded

Keras and ONNX files are made on demand, see `export_model`.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_files import replaced_folder
from ..backbones.linear_head import LinearHead
from ..errors import ModelError
from ..runtime.package_digests import write_digests
from ..runtime.record import CARD, ENVIRONMENT, GRAPH, HEAD, RECORD, SEEN, PackageInfo
from .model_card import model_card
from .serving_environment import pinned_environment, software_licenses, software_versions

SEEN_DIGITS = 16
"""Hex digits kept of a seen image's digest: 64 bits, enough to tell any two images apart."""


def write_package(
    folder: Path,
    graph: Any,
    info: PackageInfo,
    head: LinearHead | None = None,
    *,
    seen: Sequence[str] = (),
) -> None:
    """Write a package beside `folder`, then put it there; an older package of that name is replaced.

    Args:
        folder: the package's folder; its parents are created.
        graph: an `openvino.Model` from pixels to logits, see the module.
        info: what `attributes.json` says; versions and licenses of the software are filled in.
        head: for frozen models, the head that is part of `graph`.
        seen: hex SHA-256 of the image files it was trained or tuned on.

    Raises:
        ModelError: the folder cannot be written, or a threshold is not finite.
    """
    import openvino

    licenses = {"weights": "not stated", **software_licenses(), **info.licenses}
    info = dataclasses.replace(info, versions={**software_versions(), **info.versions}, licenses=licenses)
    with _written_beside(folder) as parts:
        openvino.save_model(graph, parts / GRAPH, compress_to_fp16=False)
        if head is not None:
            np.savez(parts / HEAD, kernel=head.kernel, bias=head.bias)
        digits = sorted({digest[:SEEN_DIGITS] for digest in seen})
        texts = {
            RECORD: info.to_json(),
            SEEN: json.dumps(digits),
            CARD: model_card(info),
            ENVIRONMENT: "\n".join(pinned_environment()) + "\n",
        }
        for name, text in texts.items():
            (parts / name).write_text(text, encoding="utf-8")
        write_digests(parts)


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
        raise ModelError(f"The head in {path} cannot be read ({error}); fetch the package again.") from None


def read_seen(folder: Path) -> frozenset[str]:
    """The first `SEEN_DIGITS` digits of the digests of the images a package was trained or tuned on."""
    try:
        return frozenset(json.loads((folder / SEEN).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder / SEEN} cannot be read ({error}); fetch the package again.") from None


@contextmanager
def _written_beside(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of the target at the end; see `replaced_folder`."""
    try:
        with replaced_folder(folder) as beside:
            yield beside
    except OSError as error:
        raise ModelError(
            f"The model package cannot be written to {folder}: {error.strerror or error}."
        ) from None
