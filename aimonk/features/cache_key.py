"""What a stored vector depends on, and the folder that says so."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from ..atomic_files import unwritable
from ..config import FeaturesConfig


@dataclass(frozen=True)
class FeatureKey:
    """Everything a vector depends on besides the image and the view."""

    backbone: str
    weights: str
    """SHA-256 of the weights file or of the network's file, or `random`."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    preprocessing: str
    """Versions of the decoder and of the graph's own preprocessing, e.g. `1.1`; for an ONNX backbone, whose
    normalization may be set, also the first digits of its digest."""
    engine: str
    """`openvino` or `keras`."""
    precision: str
    """`f32` or `bf16`."""
    readout: str = "mean"
    """Pooling and colors, see `Readout`."""

    @property
    def graph_folder(self) -> str:
        """Name of the folder of everything that shares this graph, whatever runs it."""
        network = f"{self.backbone}-{self.weights[:16]}-{self.height}x{self.width}"
        return f"{network}-{self.readout}-p{self.preprocessing}"

    @property
    def folder(self) -> str:
        """Path of the parts, relative to the store."""
        return f"{self.graph_folder}/{self.engine}-{self.precision}"

    def to_json(self) -> dict[str, str | int]:
        """The fields by name."""
        return asdict(self)


def store_folder(config: FeaturesConfig) -> Path:
    """Return the folder of the store: `features.store`, else AIMONK_STORE, else the user's cache folder."""
    named = config.store or os.environ.get("AIMONK_STORE")
    if named:
        return Path(named).expanduser()
    return platformdirs.user_cache_path("aimonk", appauthor=False)


def check_store(config: FeaturesConfig) -> None:
    """Find out that the store can be written to before images are read for it.

    Raises:
        FeatureStoreError: it cannot be.
    """
    folder = store_folder(config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None


def image_index_folder(config: FeaturesConfig) -> Path:
    """Return the folder that remembers what image files were when they were last read."""
    return store_folder(config) / "images"


def checkpoint_folder(config: FeaturesConfig, run_id: str = "") -> Path:
    """Return the folder with what unfinished runs need to be resumed, or that of one run."""
    return store_folder(config) / "checkpoints" / run_id
