"""The feature store: `(sha256 of the image bytes, view) -> vector` in Parquet parts that prove themselves.

A part is named by the SHA-256 of its own bytes, so that a part cut short or with a flipped byte cannot
pass for a whole one, two writers can never take each other's name, and nothing else needs keeping.
Writers need no lock: they only ever add whole files. Should two of them compute the same image, both
vectors are kept and the part that sorts first is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..atomic_files import write_whole
from ..errors import FeatureStoreError

Warn = Callable[[str], None]
"""Takes one sentence about something that was noticed and mended."""

_SUFFIX = ".parquet"


class FeatureStore:
    """The parts of one feature key in one folder, which need not exist yet.

    Args:
        folder: where the parts are.
        dimension: length of a vector (float32); where None, it is what the first part says.
        warn: is told of every damaged part.

    """

    def __init__(self, folder: Path, dimension: int | None = None, warn: Warn | None = None) -> None:
        self.folder = folder
        self.dimension = dimension
        self._warn = warn or (lambda sentence: None)

    def put(self, digests: Sequence[str], views: Sequence[str], vectors: np.ndarray) -> Path:
        """Add one part: row i is `(digests[i], views[i]) -> vectors[i]`.

        Args:
            digests: hex SHA-256 of each image's bytes.
            views: name of the view of each row.
            vectors: `(n, D) float32`, all finite.

        Raises:
            FeatureStoreError: a vector is not finite, the disk is full, or the folder cannot be written to.

        """
        data = _serialise(digests, views, np.ascontiguousarray(vectors, dtype="<f4"))
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}{_SUFFIX}"
        write_whole(path, data)
        return path

    def known(self) -> set[tuple[str, str]]:
        """Every `(digest, view)` that a sound part holds.

        Raises:
            FeatureStoreError: a part cannot be read, for another reason than damage.

        """
        return {pair for digests, views, _ in self._parts() for pair in zip(digests, views, strict=True)}

    def get(self, digests: Sequence[str], views: Sequence[str]) -> np.ndarray:
        """Vectors of images in all of some views, each part read once.

        Returns:
            `(len(digests), len(views), D) float32`.

        Raises:
            FeatureStoreError: one is not in the store, or a part cannot be read.

        """
        rows = {digest: row for row, digest in enumerate(dict.fromkeys(digests))}
        columns = {view: column for column, view in enumerate(views)}
        found = np.zeros((len(rows), len(views)), dtype=bool)
        table = np.empty((len(rows), len(views), self.dimension or 0), dtype=np.float32)
        for part_digests, part_views, vectors in self._parts():
            if table.shape[2] != vectors.shape[1]:  # only before the first part, where D was not known
                table = np.empty((len(rows), len(views), vectors.shape[1]), dtype=np.float32)
            row = np.array([rows.get(digest, -1) for digest in part_digests], dtype=np.int64)
            column = np.array([columns.get(view, -1) for view in part_views], dtype=np.int64)
            wanted = np.flatnonzero((row >= 0) & (column >= 0))
            wanted = wanted[~found[row[wanted], column[wanted]]]
            table[row[wanted], column[wanted]] = vectors[wanted]
            found[row[wanted], column[wanted]] = True
        if not found.all():
            raise FeatureStoreError(
                f"{found.size - found.sum()} of {found.size} vectors are not in {self.folder}; "
                "run the command again."
            )
        if len(rows) == len(digests):
            return table
        return table[[rows[digest] for digest in digests]]

    def _parts(self) -> Iterator[tuple[list[str], list[str], np.ndarray]]:
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # another process has just set it aside
                continue
            except OSError as error:
                raise FeatureStoreError(
                    f"Cannot read {path} ({error.strerror}); make it readable or delete it."
                ) from error
            if hashlib.sha256(data).hexdigest() != path.stem:
                self._set_aside(path)
                continue
            digests, views, vectors = _parse(data)
            self.dimension = self.dimension or vectors.shape[1]
            if vectors.shape[1] != self.dimension:
                raise FeatureStoreError(
                    f"The part {path} has {vectors.shape[1]} numbers per vector instead of {self.dimension}; "
                    "delete it."
                )
            yield digests, views, vectors

    def _set_aside(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".damaged"))
        self._warn(f"The part {path} is damaged; it was set aside and its images are embedded anew.")


def _serialise(digests: Sequence[str], views: Sequence[str], vectors: np.ndarray) -> memoryview:
    count, dimension = vectors.shape
    if not np.isfinite(vectors).all():
        raise FeatureStoreError(
            "The backbone gave vectors that are not finite; "
            "check its weights, or set features.precision to f32."
        )
    # Fixed-size binary: Parquet's lists of floats take 30 times as long to read.
    column = pa.Array.from_buffers(pa.binary(4 * dimension), count, [None, pa.py_buffer(vectors)])
    table = pa.table({"sha256": list(digests), "view": list(views), "vector": column})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="none", use_dictionary=["view"], write_statistics=False)
    return memoryview(sink.getvalue())


def _parse(data: bytes) -> tuple[list[str], list[str], np.ndarray]:
    table = pq.read_table(pa.BufferReader(data))
    column = table["vector"].combine_chunks()
    if not pa.types.is_fixed_size_binary(column.type):  # Spark knows plain binary only
        column = column.cast(pa.binary(len(column[0].as_py())))
    width = column.type.byte_width
    numbers = np.frombuffer(column.buffers()[1], "<f4", len(column) * width // 4, column.offset * width)
    return table["sha256"].to_pylist(), table["view"].to_pylist(), numbers.reshape(len(column), width // 4)
