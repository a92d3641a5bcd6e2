"""What is wrong with the data, before anything is learned from it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..runtime.image_formats import image_suffixes
from .duplicates import identical_pairs, near_pairs
from .image_index import ImageFacts
from .labels import MISSING, LabelTable
from .photo_pairs import connect
from .scenes import Scene, separate_scenes

MOST_PATTERNS = 1_000
"""Patterns of missing labels that are kept: with hundreds of attributes nearly every row has its own."""

_COUNTED = 2**20


@dataclass(frozen=True)
class AttributeCounts:
    """How often an attribute is labeled present, absent, and not at all."""

    name: str
    positives: int
    negatives: int
    missing: int

    @property
    def prevalence(self) -> float:
        """Positives among the known labels; nan when none is known."""
        known = self.positives + self.negatives
        return self.positives / known if known else float("nan")

    @property
    def pos_weight(self) -> float:
        """Negatives / positives; inf when there is no positive."""
        return self.negatives / self.positives if self.positives else float("inf")


@dataclass(frozen=True)
class Contradiction:
    """Copies of one image that are labeled both present and absent."""

    attribute: str
    images: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Audit:
    """Everything the audit found. Rows are label rows; `usable` are those with a readable image.

    `attributes` counts all label rows, `usable_attributes` only the usable ones.
    `groups[i]` is the duplicate group of the i-th usable row: equal numbers are one photo.
    """

    rows: int
    missing: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    """(image, why)."""
    mislabeled_formats: tuple[tuple[str, str], ...]
    """(image, true format) where the suffix says another one."""
    formats: dict[str, int]
    widths: tuple[int, int, int]
    """Minimum, median, maximum in pixels."""
    heights: tuple[int, int, int]
    attributes: tuple[AttributeCounts, ...]
    usable_attributes: tuple[AttributeCounts, ...]
    na_patterns: tuple[tuple[tuple[str, ...], int], ...]
    """(attributes not known together, rows), most frequent first, at most `MOST_PATTERNS`."""
    cooccurrence: np.ndarray
    """`(L, L) int64`: usable rows in which both attributes are present; counts on the diagonal."""
    identical: tuple[tuple[str, ...], ...]
    """Groups of byte-identical images."""
    near_identical: tuple[tuple[str, ...], ...]
    """Groups of images that look the same (re-encoded, resized, flipped), byte-identical or not,
    where at least two differ in bytes."""
    contradictions: tuple[Contradiction, ...]
    """Among images that are identical or look the same."""
    usable: np.ndarray
    """`(M,) int64`: indices of the usable label rows, ascending."""
    groups: np.ndarray
    """`(M,) int64`."""
    retouched: tuple[tuple[str, ...], ...] = ()
    """Groups of images of one photograph of which at least two do not look the same: with another print,
    color or crop. They may rightly have different labels, and are kept in one set all the same."""
    flat: tuple[str, ...] = ()
    """Images that show one color only: a lens cap, a failed export, or a range of values read wrongly."""
    scenes: tuple[Scene, ...] = ()
    """Large groups of photos that look alike, and what was made of them; indices of usable rows."""

    def to_json(self) -> dict[str, Any]:
        """Return the audit as lists, dictionaries, numbers and strings; what is not finite becomes None."""
        return {
            "rows": self.rows,
            "usable_rows": len(self.usable),
            "missing": list(self.missing),
            "unreadable": [{"image": image, "problem": why} for image, why in self.unreadable],
            "mislabeled_formats": [
                {"image": image, "format": kind} for image, kind in self.mislabeled_formats
            ],
            "formats": dict(self.formats),
            "widths": dict(zip(("min", "median", "max"), self.widths, strict=True)),
            "heights": dict(zip(("min", "median", "max"), self.heights, strict=True)),
            "attributes": [_counts_to_json(counts) for counts in self.attributes],
            "usable_attributes": [_counts_to_json(counts) for counts in self.usable_attributes],
            "pos_weights": {counts.name: _finite(counts.pos_weight) for counts in self.attributes},
            "na_patterns": [{"attributes": list(names), "rows": rows} for names, rows in self.na_patterns],
            "cooccurrence": self.cooccurrence.tolist(),
            "identical": [list(group) for group in self.identical],
            "near_identical": [list(group) for group in self.near_identical],
            "retouched": [list(group) for group in self.retouched],
            "flat": list(self.flat),
            "scenes": [scene.to_json() for scene in self.scenes],
            "contradictions": [
                {"attribute": found.attribute, "images": list(found.images), "labels": list(found.labels)}
                for found in self.contradictions
            ],
            "usable": self.usable.tolist(),
            "groups": self.groups.tolist(),
        }


def count(names: Sequence[str], targets: np.ndarray) -> tuple[AttributeCounts, ...]:
    """Count the labels of each attribute; `targets` is `(N, L)` of 1, 0 and `MISSING`."""
    positives, negatives = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    return tuple(
        AttributeCounts(name, int(present), int(absent), len(targets) - int(present) - int(absent))
        for name, present, absent in zip(names, positives, negatives, strict=True)
    )


def audit(table: LabelTable, facts: Sequence[ImageFacts], near_duplicates: int) -> Audit:
    """Say what is wrong with labels and images; `facts[i]` describes the image of label row `i`.

    Images whose perceptual hashes are at most `near_duplicates` bits apart (of 64) are compared by their
    thumbnails, see `near_pairs`; -1 finds byte-identical images only.
    """
    usable = np.array([row for row, fact in enumerate(facts) if fact.problem is None], dtype=np.int64)
    seen = [facts[row] for row in usable]
    images = [table.images[row] for row in usable]
    targets = table.targets[usable]
    digests = np.unique([str(fact.sha256) for fact in seen], return_inverse=True)[1]
    same = identical_pairs(seen)
    near, scenes = separate_scenes(near_pairs(seen, near_duplicates), seen, targets)
    each = np.arange(len(seen))
    identical = connect(len(seen), same)
    alike = connect(len(seen), same, near.pictures())
    groups = connect(len(seen), same, near.photographs())
    return Audit(
        rows=len(facts),
        missing=tuple(fact.name for fact in facts if fact.problem == "missing"),
        unreadable=tuple(
            (fact.name, fact.problem) for fact in facts if fact.problem and fact.problem != "missing"
        ),
        mislabeled_formats=_mislabeled_formats(seen),
        formats=dict(Counter(str(fact.format) for fact in seen).most_common()),
        widths=_spread([fact.width for fact in seen]),
        heights=_spread([fact.height for fact in seen]),
        attributes=count(table.attributes, table.targets),
        usable_attributes=count(table.attributes, targets),
        na_patterns=_na_patterns(table),
        cooccurrence=_together(targets == 1),
        identical=_names(images, _members(identical, differing_in=each)),
        near_identical=_names(images, _members(alike, differing_in=digests)),
        retouched=_names(images, _members(groups, differing_in=alike)),
        contradictions=_contradictions(images, table.attributes, targets, _members(alike, each)),
        usable=usable,
        groups=groups,
        flat=tuple(fact.name for fact in seen if fact.flat),
        scenes=scenes,
    )


def _members(groups: np.ndarray, differing_in: np.ndarray) -> list[np.ndarray]:
    """Return the indices of each group whose members do not all have the same value of `differing_in`."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    if not starts.size:
        return []
    values = differing_in[order]
    differ = np.minimum.reduceat(values, starts) < np.maximum.reduceat(values, starts)
    ends = np.append(starts[1:], order.size)
    return [order[starts[group] : ends[group]] for group in np.flatnonzero(differ)]


def _names(images: Sequence[str], groups: Iterable[np.ndarray]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(images[index] for index in members) for members in groups)


def _contradictions(
    images: Sequence[str], attributes: Sequence[str], targets: np.ndarray, groups: Iterable[np.ndarray]
) -> tuple[Contradiction, ...]:
    found = []
    for members in groups:
        for column, attribute in enumerate(attributes):
            known = members[targets[members, column] != MISSING]
            labels = targets[known, column].astype(int).tolist()
            if len(set(labels)) > 1:
                found.append(Contradiction(attribute, tuple(images[index] for index in known), tuple(labels)))
    return tuple(found)


def _together(present: np.ndarray) -> np.ndarray:
    """`(L, L) int64`: rows of `(N, L) bool` in which both are true, in blocks that float32 counts exactly."""
    counts = np.zeros((present.shape[1],) * 2, np.int64)
    for start in range(0, len(present), _COUNTED):
        block = present[start : start + _COUNTED].astype(np.float32)
        counts += (block.T @ block).astype(np.int64)
    return counts


def _na_patterns(table: LabelTable) -> tuple[tuple[tuple[str, ...], int], ...]:
    missing = table.targets == MISSING
    missing = missing[missing.any(axis=1)]
    packed = np.packbits(missing, axis=1)
    # As bytes that are compared at once. NumPy takes no notice of zeros at their end, which all have alike.
    keys = packed.view(f"S{packed.shape[1]}").ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    names = np.array(table.attributes, dtype=object)
    patterns = (
        (tuple(names[missing[first[at]]]), int(counts[at]))
        for at in np.argsort(-counts, kind="stable")[:MOST_PATTERNS]
    )
    return tuple(sorted(patterns, key=lambda pattern: (-pattern[1], pattern[0])))


def _mislabeled_formats(facts: Iterable[ImageFacts]) -> tuple[tuple[str, str], ...]:
    """Return (image, true format) where the suffix says another one."""
    suffixes = image_suffixes()
    found = []
    for fact in facts:
        said = suffixes.get(Path(fact.name).suffix.lower())
        # Phones store a JPEG with more pictures behind it, which Pillow calls MPO, as .jpg.
        if said is not None and said != {"MPO": "JPEG"}.get(str(fact.format), fact.format):
            found.append((fact.name, str(fact.format)))
    return tuple(found)


def _spread(pixels: Sequence[int]) -> tuple[int, int, int]:
    if not pixels:
        return 0, 0, 0
    return min(pixels), int(np.median(pixels)), max(pixels)


def _counts_to_json(counts: AttributeCounts) -> dict[str, Any]:
    return {
        "name": counts.name,
        "positives": counts.positives,
        "negatives": counts.negatives,
        "missing": counts.missing,
        "prevalence": _finite(counts.prevalence),
        "pos_weight": _finite(counts.pos_weight),
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
