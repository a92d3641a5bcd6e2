"""The state of a fine-tuning at the end of an epoch, in one file without pickle, replaced as a whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...atomic_files import replaced_file, unwritable
from ...config import FinetuneConfig, TrainingConfig
from ...errors import ModelError

FILE = "checkpoint.npz"
PLAIN = ("identity", "epoch", "best_epoch", "iteration_losses", "validation_losses", "validation_scores")
GROUPS = ("model", "best", "optimizer")


@dataclass(frozen=True)
class Checkpoint:
    """All that is needed to resume as if nothing had happened.

    The order of images and their augmentations are functions of seed and epoch, so the epoch is the position
    of every random generator but those inside the model, which are among its variables.
    """

    identity: str
    """Settings and data it belongs to; another training must not resume from it."""
    epoch: int
    """Epochs done."""
    best_epoch: int
    iteration_losses: np.ndarray
    validation_losses: np.ndarray
    validation_scores: np.ndarray
    """Mean AP per epoch, by which the best epoch is chosen."""
    model: tuple[np.ndarray, ...]
    """The model's variables."""
    best: tuple[np.ndarray, ...]
    """The weights of the best epoch; empty if they are not kept."""
    optimizer: tuple[np.ndarray, ...]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a kill at any moment leaves the old one or the new one.

    Raises:
        FeatureStoreError: the disk is full, or the folder cannot be written to.
    """
    arrays = {name: np.asarray(getattr(checkpoint, name)) for name in PLAIN}
    for group in GROUPS:
        arrays |= {f"{group}/{i:05d}": array for i, array in enumerate(getattr(checkpoint, group))}
    try:
        with replaced_file(folder / FILE) as beside, beside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise unwritable(folder / FILE, error) from error


def read_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """The checkpoint in `folder`, or None if there is none.

    Raises ModelError if it is damaged or belongs to a training with another `identity`.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        checkpoint = _read(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"The checkpoint {path} is damaged ({error}); delete it to train anew.") from error
    if checkpoint.identity != identity:
        raise ModelError(
            f"The checkpoint {path} belongs to a training with other settings or data; "
            "resume with the same ones, or delete it to train anew."
        )
    return checkpoint


def _read(path: Path) -> Checkpoint:
    with np.load(path, allow_pickle=False) as arrays:
        names = sorted(arrays.files)
        groups = {
            group: tuple(arrays[name] for name in names if name.startswith(f"{group}/")) for group in GROUPS
        }
        return Checkpoint(
            identity=str(arrays["identity"]),
            epoch=int(arrays["epoch"]),
            best_epoch=int(arrays["best_epoch"]),
            iteration_losses=arrays["iteration_losses"],
            validation_losses=arrays["validation_losses"],
            validation_scores=arrays["validation_scores"],
            **groups,
        )


def identity_of(
    images: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    training: TrainingConfig,
    config: FinetuneConfig,
) -> str:
    """Names a training by its settings, targets and index sets; the images by their shape alone."""
    settings = [dataclasses.asdict(training), dataclasses.asdict(config), images.shape]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for array, kind in ((targets, "<f4"), (train, "<i8"), (validation, "<i8")):
        digest.update(np.ascontiguousarray(array, dtype=kind).tobytes() + b"|")
    return digest.hexdigest()
