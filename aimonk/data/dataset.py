"""A folder of images and its labels, read and audited: what every command starts from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..config import Config
from ..errors import ImagesError
from .image_index import ImageFacts, scan
from .label_audit import Audit, audit
from .labels import LabelTable, check_folder, find_labels, read_labels


@dataclass(frozen=True)
class Dataset:
    """The label rows whose image can be used; everything is in the order of the labels file.

    `targets` is `(M, L) float32` with `MISSING`; `names`, `paths`, `digests` (hex SHA-256 of the file)
    and `groups` (`(M,) int64`, equal for copies of one photo) have M entries. `split` is the labels
    file's own split column, if it brings one.
    """

    folder: Path
    labels: Path
    attributes: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[Path, ...]
    digests: tuple[str, ...]
    targets: np.ndarray
    groups: np.ndarray
    split: tuple[str, ...] | None
    audit: Audit

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over image digests, attribute names and targets: equal for equal data."""
        content = hashlib.sha256("\n".join((*self.attributes, *self.digests)).encode())
        content.update(np.ascontiguousarray(self.targets).tobytes())
        return content.hexdigest()


def read_dataset(
    folder: Path,
    labels: Path | None,
    config: Config,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Read labels, look at every image and audit both; unusable rows are left out and named in `audit`.

    Raises:
        LabelsError: the labels are absent or not valid, see `read_labels`.
        ImagesError: no image can be used, or more than `config.data.max_unusable` of them cannot.
    """
    check_folder(folder)
    source = labels or find_labels(folder)
    table = read_labels(source)
    facts = scan(folder, table.images, cache, progress)
    found = audit(table, facts, config.data.near_duplicates)
    _check_usable(folder, source, found, config.data.max_unusable)
    return _usable(folder, table, facts, found)


def _check_usable(folder: Path, labels: Path, found: Audit, share: float) -> None:
    lost = found.rows - len(found.usable)
    if len(found.usable) == 0:
        raise ImagesError(
            f"None of the {found.rows} images that {labels} names can be read in {folder}; "
            "check that --data is the folder the names are relative to."
        )
    if lost > share * found.rows:
        first = (*found.missing, *(name for name, _ in found.unreadable))[0]
        raise ImagesError(
            f"{lost} of {found.rows} images in {folder} are missing or unreadable (the first is {first}), "
            f"more than the allowed share of {share:g}; mend them, or raise it with --set data.max_unusable."
        )


def _usable(folder: Path, table: LabelTable, facts: tuple[ImageFacts, ...], found: Audit) -> Dataset:
    kept = [facts[row] for row in found.usable]
    return Dataset(
        folder=folder,
        labels=table.source,
        attributes=table.attributes,
        names=tuple(fact.name for fact in kept),
        paths=tuple(fact.path for fact in kept),
        digests=tuple(fact.sha256 or "" for fact in kept),
        targets=table.targets[found.usable],
        groups=found.groups,
        split=tuple(table.split[row] for row in found.usable) if table.split else None,
        audit=found,
    )
