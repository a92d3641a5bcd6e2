"""Pairs of images that show one photograph, what makes them one picture, and the groups they connect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

SAME_PHOTO = 0.8
"""Least likeness of two versions of one photograph.

Of the 1.6 million pairs in data/aimonk and data/clothing, all above it show one photograph
(with another print, color, watermark or crop at the lower end). The first pair of different photographs,
alike only in pose and outline, stands at 0.75, and copies at 70% of the size and JPEG quality 60 above 0.97.
"""

SAME_PICTURE = 0.95
"""Least likeness of two files of one picture, of which nothing was changed but the encoding."""

SAME_TONE = 18
"""Greatest difference of gray, in blocks of 2 x 2 of two such files' thumbnails, of 255.

Re-encoding at half the size changes no block by more than 17; another print on a shirt by 19 and more.
"""

REGISTERED_PHOTO = 0.95
"""Least likeness of two versions of one photograph after one was laid over the other.

Of the candidates in data/aimonk and data/clothing, the first pair of different photographs stands at 0.93.
"""

REGISTERED_PICTURE = 0.98
"""Least likeness of a picture and its copy with up to 5% of a side cut off, after registration.

Of 400 copies with 2% cut off each side, the lowest stands at 0.992.
"""

REGISTERED_TONE = 11
"""Greatest difference of gray between the two, in blocks of 2 x 2 after smoothing both.

Resampling blurs edges, hence the smoothing. Of the 400 copies, 99% lie below; another print on a shirt makes
12.7 and more.
"""


@dataclass(frozen=True)
class Pairs:
    """Pairs of unlike files, `first[k] < second[k]`, that show one photograph; each pair once.

    `likeness` is float32 in [-1, 1]; `tone` the greatest difference of gray, in 0..255. Where `registered`,
    both are taken after one image was laid over the other, and smoothed.
    """

    first: np.ndarray
    second: np.ndarray
    likeness: np.ndarray
    tone: np.ndarray
    registered: np.ndarray

    def pictures(self) -> list[tuple[int, int]]:
        """Return the pairs in which nothing but the encoding, the size or the border differs."""
        same = self.is_picture()
        return list(zip(self.first[same].tolist(), self.second[same].tolist(), strict=True))

    def photographs(self) -> list[tuple[int, int]]:
        """Return all pairs."""
        return list(zip(self.first.tolist(), self.second.tolist(), strict=True))

    def is_picture(self) -> np.ndarray:
        """Return for each pair whether it is one of `pictures`: `(k,) bool`."""
        least = np.where(self.registered, REGISTERED_PICTURE, SAME_PICTURE)
        most = np.where(self.registered, REGISTERED_TONE, SAME_TONE)
        return np.asarray((self.likeness >= least) & (self.tone <= most))

    def select(self, kept: np.ndarray) -> Pairs:
        """Return the pairs at the indices, or where the mask is true."""
        columns = (self.first, self.second, self.likeness, self.tone, self.registered)
        return Pairs(*(column[kept] for column in columns))

    @classmethod
    def join(cls, parts: Iterable[Pairs]) -> Pairs:
        """Return the pairs of all parts."""
        columns = [(part.first, part.second, part.likeness, part.tone, part.registered) for part in parts]
        kinds = (np.int64, np.int64, np.float32, np.float32, np.bool_)
        if not columns:
            return cls(*(np.zeros(0, kind) for kind in kinds))
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))

    def each_once(self) -> Pairs:
        """Return every pair once, as the closest of the ways in which it was found, in order."""
        order = np.lexsort((-self.likeness, self.registered, ~self.is_picture(), self.second, self.first))
        pairs = self.select(order)
        new = np.ones(len(order), bool)
        new[1:] = (np.diff(pairs.first) != 0) | (np.diff(pairs.second) != 0)
        return pairs.select(new)


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
