"""Which weights file a network of `keras.applications` gets, and its digest for the feature store's key."""

from __future__ import annotations

import os
from pathlib import Path

from ..atomic_files import recall, remember
from ..errors import BackboneError
from .digest import digest_of
from .zoo import KerasApplication

RANDOM = "random"
"""The digest of `--weights none`: initial values drawn with a constant seed."""


def weights_digest(backbone: KerasApplication, weights: str, store: Path) -> str | None:
    """SHA-256 of the weights file as a hex string, or `random`; no Keras is needed.

    None when `imagenet` was never loaded into this store, so that only Keras knows the file's name.
    A file is hashed anew each time: 100 MB take 0.06 s, and time stamps need not be trusted.

    Raises:
        BackboneError: the weights file is not there.

    """
    if weights == "none":
        return RANDOM
    if weights == "imagenet":
        return _imagenet_digest(backbone, store)
    return digest_of(weights_path(weights))


def weights_path(weights: str) -> Path:
    """The file that `weights` names.

    Raises:
        BackboneError: it is not a file, or not one that Keras can load weights from.

    """
    path = Path(weights).expanduser()
    if not path.is_file():
        raise BackboneError(
            f"There is no weights file {path}; give the path of a Keras .h5 file, `imagenet` or `none`."
        )
    if path.suffix not in (".h5", ".hdf5"):
        raise BackboneError(
            f"Weights file {path} is not an .h5 file; save the weights without the top as .weights.h5."
        )
    return path


def remember_imagenet(backbone: KerasApplication, file: Path, store: Path) -> str:
    """Note which file Keras loaded as ImageNet weights; returns its digest."""
    digest = digest_of(file)
    remember(_note(backbone, store), {"file": file.name, "sha256": digest}, replace=True)
    return digest


def keras_cache() -> Path:
    """The folder in which Keras keeps downloaded weights."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"


def _imagenet_digest(backbone: KerasApplication, store: Path) -> str | None:
    note = recall(_note(backbone, store))
    if note is None:
        return None
    file = keras_cache() / str(note["file"])
    # The cache may have been emptied since; the vectors in the store are still those of that file.
    return digest_of(file) if file.is_file() else str(note["sha256"])


def _note(backbone: KerasApplication, store: Path) -> Path:
    return store / "imagenet" / f"{backbone}.json"
