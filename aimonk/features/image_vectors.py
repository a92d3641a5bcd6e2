"""Vectors of images where they lie: a table of rows, and which row belongs to which image."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK_BYTES = 2 * 2**20
"""Of a block of rows: large enough for fast matrix products, small enough for a core's own cache."""


@dataclass(frozen=True)
class ImageVectors:
    """`matrix[rows[v, i]]` is view v of image i. Nothing is copied until it is asked for."""

    matrix: np.ndarray
    """`(R, D) float32`, memory-mapped as a rule."""
    rows: np.ndarray
    """`(V, N) int64`."""
    mapped: mmap.mmap | None = None
    """Where the matrix lies, if that is a file."""

    @classmethod
    def of(cls, vectors: np.ndarray) -> ImageVectors:
        """Wrap an array in memory, `(N, D)` or `(V, N, D)` float32.

        >>> ImageVectors.of(np.zeros((2, 5, 3), np.float32)).rows.tolist()
        [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
        """
        views = vectors.reshape(-1, *vectors.shape[-2:])
        count, images, width = views.shape
        return cls(views.reshape(-1, width), np.arange(count * images).reshape(count, images))

    @property
    def views(self) -> int:
        """How many views of each image there are."""
        return len(self.rows)

    @property
    def images(self) -> int:
        """How many images there are."""
        return int(self.rows.shape[1])

    @property
    def width(self) -> int:
        """Numbers per vector, D."""
        return int(self.matrix.shape[1])

    def rest(self) -> None:
        """Let the system have the memory of a mapped matrix; what is read again comes from the file."""
        if self.mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.mapped.madvise(mmap.MADV_DONTNEED)

    def take(self, images: np.ndarray, view: int = 0) -> np.ndarray:
        """A copy of one view of these images, `(n, D) float32`."""
        return np.asarray(self.matrix[self.rows[view, images]])

    def blocks(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows of the matrix in blocks that fit the processor's cache.

        Args:
            rows: `(n,)` rows of the matrix. In ascending order they are read from one end to the other.

        Yields:
            Which part of `rows` it is, and the vectors, `(at most B, D) float32`: a view of the matrix where
            the rows follow one another, else a buffer that the next block overwrites. Do not write to it.

        """
        size = max(1, BLOCK_BYTES // (4 * self.width))
        buffer: np.ndarray | None = None
        for first in range(0, len(rows), size):
            part = slice(first, min(first + size, len(rows)))
            chosen = rows[part]
            if chosen[-1] - chosen[0] == len(chosen) - 1 and (np.diff(chosen) == 1).all():
                yield part, np.asarray(self.matrix[chosen[0] : chosen[-1] + 1])
                continue
            if buffer is None:
                buffer = np.empty((size, self.width), np.float32)
            yield part, np.take(self.matrix, chosen, axis=0, out=buffer[: len(chosen)], mode="clip")
