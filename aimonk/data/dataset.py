"""A folder of images and its labels, read and audited: what every command starts from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..config import Config
from ..errors import LabelsError
from ..runtime.decode_limits import DecodeLimits
from .file_traits import FileTraits
from .image_index import ImageFacts, scan
from .independent_groups import independent_groups
from .label_audit import AttributeCounts, Audit, audit, count
from .labels import LabelTable, ReadAs, check_folder, find_labels, read_labels
from .labels.filled_cells import set_filled_apart
from .learnable import Unlearnable, find_unlearnable
from .match_images import MatchedImages, is_ambiguous, match_images
from .matched_labels import matched_labels
from .usable_images import check_usable


@dataclass(frozen=True)
class Dataset:
    """The label rows whose image can be used; everything is in the order of the labels file.

    Attributes:
        folder: Folder of images.
        labels: The labels file, or the folder that itself says what its images show.
        attributes: The L attributes that can be learned.
        names: The M images, as paths relative to the folder; likewise `paths` and `digests` (hex SHA-256).
        targets: `(M, L) float32` of 1, 0 and `MISSING`.
        groups: `(M,) int64`, equal for images that are not independent: copies of one photo, and the
            groups that `labels.group` names.
        split: The labels file's predefined sets, if it has them.
        traits: What the files are apart from what they show.
        audit: What is wrong with labels and images; it counts all attributes, learnable or not.
        read_as: How the labels file was understood.
        unlearnable: Attributes that are left out because nothing can be learned of them.
        table: All label rows, unusable images and unlearnable attributes included.
        filled: `(M, L) float32` like `targets`, labels that `aimonk fill` filled in; they are `MISSING` in
            `targets`, so that no figure rests on them. None where none was.
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
    traits: FileTraits
    audit: Audit
    read_as: ReadAs = ReadAs()
    unlearnable: tuple[Unlearnable, ...] = ()
    table: LabelTable | None = None
    filled: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over image digests, attribute names and targets: equal for equal data."""
        content = hashlib.sha256("\n".join((*self.attributes, *self.digests)).encode())
        content.update(np.ascontiguousarray(self.targets).tobytes())
        return content.hexdigest()

    @cached_property
    def counts(self) -> tuple[AttributeCounts, ...]:
        """Labels of each of `attributes`, among the images that can be used."""
        return count(self.attributes, self.targets)


def read_dataset(
    folder: Path,
    labels: Path | None,
    config: Config,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    keep_unlearnable: bool = False,
) -> Dataset:
    """Read labels, match them to files, look at every image and audit both.

    Unusable images are left out and named in `audit`, unlearnable attributes in `unlearnable`.

    >>> data = read_dataset(Path("photos"), None, Config())  # doctest: +SKIP
    >>> data.targets.shape, data.read_as.sentences()[0]  # doctest: +SKIP

    Args:
        folder: Folder of images.
        labels: Labels file; by default the one that `find_labels` finds.
        config: Of which the sections `data` and `labels` count.
        cache: Folder that remembers what images were, see `look_up`.
        progress: Called with (images done, images).
        keep_unlearnable: Keep attributes of which nothing can be learned, to compare a model with them.

    Raises:
        LabelsError: The labels are absent, not valid or ambiguous, see `read_labels`; or no attribute can
            be learned.
        ImagesError: No image can be used, or more than `config.data.max_unusable` of them cannot.
    """
    check_folder(folder)
    table = set_filled_apart(read_labels(labels or find_labels(folder), config.labels))
    matched = match_images(folder, table.images)
    table = matched_labels(table, matched)
    facts = _look_at(folder, table, matched, cache, progress, config.data.limits)
    found = audit(table, facts, config.data.near_duplicates)
    check_usable(folder, table, found, matched, config.data.max_unusable)
    data = _usable(folder, table, facts, found)
    return data if keep_unlearnable else _learnable(data)


def _look_at(
    folder: Path,
    table: LabelTable,
    matched: MatchedImages,
    cache: Path | None,
    progress: Callable[[int, int], None] | None,
    limits: DecodeLimits,
) -> tuple[ImageFacts, ...]:
    """Return the facts of every image; those that no single file fits are not looked for."""
    there = [name for name in table.images if name not in matched.problems]
    found = {facts.name: facts for facts in scan(folder, there, cache, progress, limits)}
    for name, why in matched.problems.items():
        problem = why if is_ambiguous(why) else "missing"
        found[name] = ImageFacts(name, folder / name, None, 0, None, 0, 0, None, None, problem)
    return tuple(found[name] for name in table.images)


def _usable(folder: Path, table: LabelTable, facts: tuple[ImageFacts, ...], found: Audit) -> Dataset:
    kept = [facts[row] for row in found.usable]
    groups = found.groups
    if table.groups is not None:
        groups = independent_groups(groups, [table.groups[row] for row in found.usable])
    return Dataset(
        folder=folder,
        labels=table.source,
        attributes=table.attributes,
        names=tuple(fact.name for fact in kept),
        paths=tuple(fact.path for fact in kept),
        digests=tuple(fact.sha256 or "" for fact in kept),
        targets=table.targets[found.usable],
        groups=groups,
        split=tuple(table.split[row] for row in found.usable) if table.split else None,
        traits=FileTraits.of(kept),
        audit=found,
        read_as=table.read_as,
        table=table,
        filled=None if table.filled is None else table.filled[found.usable],
    )


def unlearnable_attributes(data: Dataset) -> tuple[Unlearnable, ...]:
    """Return the attributes of a data set of which nothing can be learned."""
    every = data.table.targets if data.table is not None else data.targets
    return find_unlearnable(data.attributes, data.targets, data.groups, every)


def _learnable(data: Dataset) -> Dataset:
    unlearnable = unlearnable_attributes(data)
    names = {found.name for found in unlearnable}
    kept = [column for column, name in enumerate(data.attributes) if name not in names]
    if not kept:
        first = unlearnable[0]
        raise LabelsError(
            f"None of the {len(unlearnable)} attributes in {data.labels} can be learned; the first is "
            f"{first.name!r}: {first.reason[:1].lower()}{first.reason[1:].rstrip('.')}; label more images."
        )
    attributes = tuple(data.attributes[column] for column in kept)
    return replace(
        data,
        attributes=attributes,
        targets=data.targets[:, kept],
        filled=None if data.filled is None else data.filled[:, kept],
        unlearnable=unlearnable,
    )
