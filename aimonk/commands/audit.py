"""`aimonk audit`: what is wrong with the data, before anything is learned from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from ..config_file import load_config
from ..data.labels import write_labels
from ..data.usable_images import refusal
from ..progress import recorded
from ..results.audit_result import AuditResult
from .read_data import read_data


def audit(
    data: str | Path,
    labels: str | Path | None = None,
    *,
    settings: Iterable[str] = (),
    save_labels: str | Path | None = None,
) -> AuditResult:
    """Audit a folder, however many of its images cannot be used.

    >>> print(aimonk.audit("photos", "labels.csv"))  # doctest: +SKIP

    Args:
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        settings: `section.key=value` for any setting.
        save_labels: file to write the labels to as they were understood, see `write_labels`.

    Raises:
        LabelsError: the labels are absent or not valid.
        ImagesError: no image can be used.
    """
    config = load_config(None, settings)
    lenient = dataclasses.replace(config, data=dataclasses.replace(config.data, max_unusable=1.0))
    with recorded() as record:
        dataset = read_data(data, labels, lenient, keep_unlearnable=True)
    if save_labels is not None and dataset.table is not None:
        write_labels(dataset.table, Path(save_labels))
    return AuditResult(dataset, tuple(record.warnings), refusal(dataset.audit, config.data.max_unusable))
