"""The first stage of every command that takes labels."""

from __future__ import annotations

from pathlib import Path

from ..config import Config
from ..data.dataset import Dataset, read_dataset
from ..features.cache_key import image_index_folder
from ..progress import stage


def read_data(
    data: str | Path, labels: str | Path | None, config: Config, *, keep_unlearnable: bool = False
) -> Dataset:
    """Read and audit a folder of images and its labels; see `read_dataset`.

    Raises:
        LabelsError: the labels are absent or not valid.
        ImagesError: too many images cannot be used.
    """
    with stage("audit", "Reading images") as progress:
        return read_dataset(
            Path(data),
            Path(labels) if labels else None,
            config,
            image_index_folder(config.features),
            progress,
            keep_unlearnable=keep_unlearnable,
        )
