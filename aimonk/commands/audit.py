"""`aimonk audit`: what is wrong with the data, before anything is learned from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from ..config_file import load_config
from ..data.dataset import read_dataset
from ..features.cache_key import image_index_folder
from ..progress import recorded, stage
from ..results.audit_result import AuditResult


def audit(data: str | Path, labels: str | Path | None = None, *, settings: Iterable[str] = ()) -> AuditResult:
    """Audit a folder, however many of its images cannot be used.

    >>> print(aimonk.audit("photos", "labels.csv"))  # doctest: +SKIP

    Args:
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        settings: `section.key=value` for any setting.

    Raises:
        LabelsError: the labels are absent or not valid.
        ImagesError: no image can be used.
    """
    config = load_config(None, settings)
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, max_unusable=1.0))
    with recorded() as record, stage("audit", "Reading images") as progress:
        dataset = read_dataset(
            Path(data),
            Path(labels) if labels else None,
            config,
            image_index_folder(config.features),
            progress,
        )
    return AuditResult(dataset, tuple(record.warnings))
