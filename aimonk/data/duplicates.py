"""Which images are one photograph: byte for byte, re-encoded, resized, mirrored or retouched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .fingerprint import SIDE
from .image_index import ImageFacts

SAME_PHOTO = 0.8
"""Least likeness of two versions of one photograph.

Of the 1.6 million pairs in data/aimonk and data/clothing, all above it show one photograph
(with another print, colour, watermark or crop at the lower end); the first pair of different photographs,
alike only in pose and outline, stands at 0.75, and copies at 70% of the size and JPEG quality 60 above 0.97.
"""

SAME_PICTURE = 0.95
"""Least likeness of two files of one picture, of which nothing was changed but the encoding."""

SAME_TONE = 18
"""Greatest difference of grey, in blocks of 2 x 2 of two such files' thumbnails, of 255.

Re-encoding at half the size changes no block by more than 17; another print on a shirt by 19 and more.
"""

_BLOCK_CELLS = 2**19
"""Pairs of hashes compared at once, 4 MiB of them; and pairs of thumbnails."""
_BLOCK_PAIRS = 2**9


@dataclass(frozen=True)
class Pairs:
    """Pairs of unlike files, `first[k] < second[k]`, that show one photograph.

    `likeness` is float32 in [-1, 1]; `tone` the greatest difference of grey, in 0..255.
    """

    first: np.ndarray
    second: np.ndarray
    likeness: np.ndarray
    tone: np.ndarray

    def pictures(self) -> list[tuple[int, int]]:
        """Return the pairs in which nothing but the encoding differs."""
        same = (self.likeness >= SAME_PICTURE) & (self.tone <= SAME_TONE)
        return list(zip(self.first[same].tolist(), self.second[same].tolist(), strict=True))

    def photographs(self) -> list[tuple[int, int]]:
        """Return all pairs."""
        return list(zip(self.first.tolist(), self.second.tolist(), strict=True))


def identical_pairs(facts: Sequence[ImageFacts]) -> list[tuple[int, int]]:
    """Return each image with the first one that has the same bytes, as indices into `facts`."""
    first: dict[str, int] = {}
    pairs = []
    for index, fact in enumerate(facts):
        if fact.sha256 is not None:
            start = first.setdefault(fact.sha256, index)
            if start != index:
                pairs.append((start, index))
    return pairs


def near_pairs(facts: Sequence[ImageFacts], distance: int) -> Pairs:
    """Return the pairs of usable images of different bytes that show one photograph.

    Perceptual hashes, upright or mirrored, at most `distance` bits apart (of 64; -1 finds none) only make
    two images candidates: on white backgrounds unlike dresses collide. Of the candidates, those stay whose
    thumbnails have a likeness of at least `SAME_PHOTO`: the cosine between their grey-value gradients,
    which unlike plain correlation does not count a shared white background for alike.
    """
    indices = _first_of_each(facts)
    upright = np.array([facts[index].phash for index in indices], dtype=np.uint64)
    flipped = np.array([facts[index].phash_flipped for index in indices], dtype=np.uint64)
    grey = np.array([np.frombuffer(facts[index].thumbnail or b"", np.uint8) for index in indices])
    grey = grey.reshape(-1, SIDE, SIDE)
    found = [_verify(grey, *pairs) for pairs in _candidates(upright, flipped, distance)]
    if not found:
        return Pairs(*(np.zeros(0, kind) for kind in (np.int64, np.int64, np.float32, np.float32)))
    first, second, likeness, tone = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Pairs(indices[first], indices[second], likeness, tone)


def connect(count: int, *pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """Return the group numbers `(count,) int64` of items that pairs connect, directly or through others.

    Groups are numbered from 0 in the order of their first item.
    """
    # Union-find; scipy.sparse.csgraph would do, but its import alone takes longer than all of this.
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for some in pairs:
        for first, second in some:
            low, high = sorted((root(first), root(second)))
            parent[high] = low
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root(item), len(numbers)) for item in range(count)], dtype=np.int64)


def _first_of_each(facts: Sequence[ImageFacts]) -> np.ndarray:
    first = {
        fact.sha256: index
        for index, fact in reversed(list(enumerate(facts)))
        if fact.problem is None and fact.thumbnail is not None
    }
    return np.array(sorted(first.values()), dtype=np.int64)


def _candidates(
    upright: np.ndarray, flipped: np.ndarray, distance: int
) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield blocks of (first, second, whether second is to be mirrored) with hashes close enough."""
    rows = max(1, _BLOCK_CELLS // max(1, len(upright)))
    for start in range(0, len(upright), rows):
        for others, mirrored in ((upright, False), (flipped, True)):
            bits = np.bitwise_count(upright[start : start + rows, None] ^ others[None, start:])
            first, second = np.nonzero(bits.astype(np.int16) <= distance)
            first, second = (first + start)[first < second], (second + start)[first < second]
            for at in range(0, len(first), _BLOCK_PAIRS):
                block = slice(at, at + _BLOCK_PAIRS)
                yield first[block], second[block], np.full(len(first[block]), mirrored)


def _verify(
    grey: np.ndarray, first: np.ndarray, second: np.ndarray, mirrored: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    one = grey[first].astype(np.float32)
    other = grey[second].astype(np.float32)
    other[mirrored] = other[mirrored, :, ::-1]
    likeness = _cosine(_gradients(one), _gradients(other))
    tone = np.abs(_blocks(one) - _blocks(other)).max(axis=(1, 2))
    same = likeness >= SAME_PHOTO
    return first[same], second[same], likeness[same], tone[same]


def _gradients(grey: np.ndarray) -> np.ndarray:
    """Return the differences to the right and lower neighbours: (n, SIDE, SIDE) to (n, 2 (SIDE - 1) SIDE)."""
    across, down = np.diff(grey, axis=2), np.diff(grey, axis=1)
    return np.concatenate([across.reshape(len(grey), -1), down.reshape(len(grey), -1)], axis=1)


def _cosine(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    # Images of one colour have no gradient: like nothing but their own bytes.
    return np.einsum("ij,ij->i", one, other) / np.maximum(norms, np.float32(1.0))


def _blocks(grey: np.ndarray) -> np.ndarray:
    """Return means of 2 x 2 pixels, (n, SIDE / 2, SIDE / 2), which a shift by part of a pixel moves less."""
    return grey.reshape(len(grey), SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
