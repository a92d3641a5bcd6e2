"""The feature store: `(sha256 of the image bytes, view) -> vector` in Parquet parts.

A part is named by the SHA-256 of its own bytes, so a truncated or damaged part is always recognized and two
writers never use the same name. Writers need no lock: they only add complete files. If two of them compute
the same image, both vectors are kept and the part that sorts first is read.

Trainings do not read the parts but one table made of them, see `feature_table`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..atomic_files import write_whole
from ..errors import FeatureStoreError
from .feature_table import FeatureTable, build_table, missing_vectors, open_table, read_index

_SUFFIX = ".parquet"
_LOG = logging.getLogger(__name__)


class FeatureStore:
    """The parts of one feature key in one folder, which need not exist yet.

    Damaged parts are set aside with a warning.

    Args:
        folder: where the parts are.
        dimension: length of a vector (float32); None takes that of the first part.

    """

    def __init__(self, folder: Path, dimension: int | None = None) -> None:
        self.folder = folder
        self.dimension = dimension

    def put(self, digests: Sequence[str], views: Sequence[str], vectors: np.ndarray) -> Path:
        """Add one part: row i is `(digests[i], views[i]) -> vectors[i]`.

        Args:
            digests: hex SHA-256 of each image's bytes.
            views: name of the view of each row.
            vectors: `(n, D) float32`, all finite.

        Raises:
            FeatureStoreError: a vector is not finite, the disk is full, or the folder cannot be written to.

        """
        data = _serialize(digests, views, np.ascontiguousarray(vectors, dtype="<f4"))
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}{_SUFFIX}"
        write_whole(path, data)
        return path

    def known(self) -> set[tuple[str, str]]:
        """Every `(digest, view)` in the store.

        Takes the table's index where there is one of these parts; reads and checks all parts otherwise.

        Raises:
            FeatureStoreError: a part cannot be read although it is not damaged.

        """
        index = read_index(self.folder, self._names())
        if index is not None:
            return index.pairs
        return {
            pair
            for digests, views, _ in self._parts(self._names())
            for pair in zip(digests, views, strict=True)
        }

    def table(self) -> FeatureTable:
        """All vectors of the store in one memory-mapped table, which is built from the parts if need be.

        A part that another process adds in the meantime is in the next table.

        Raises:
            FeatureStoreError: the store is empty, the table cannot be written, or a part cannot be read.

        """
        table = open_table(self.folder, self._names())
        if table is None and read_index(self.folder, self._names()) is not None:
            _LOG.warning(f"The feature table in {self.folder} is damaged; it is built again.")
        while table is None:
            names = self._names()
            if not names:
                raise FeatureStoreError(f"There is no vector in {self.folder}; run the command again.")
            table = build_table(self.folder, names, self._parts(names))
            if not set(names) <= set(self._names()):  # a damaged part was set aside
                table = None
        return table

    def get(self, digests: Sequence[str], views: Sequence[str]) -> np.ndarray:
        """Vectors of images in all of some views, each part read once.

        Returns:
            `(len(digests), len(views), D) float32`.

        Raises:
            FeatureStoreError: one is not in the store, or a part cannot be read.

        """
        rows = {digest: row for row, digest in enumerate(dict.fromkeys(digests))}
        table = np.empty((len(rows), len(views), self.dimension or 0), dtype=np.float32)
        for row, column, vectors in self._wanted(rows, views):
            if table.shape[2] != vectors.shape[1]:  # only before the first part, where D was not known
                table = np.empty((len(rows), len(views), vectors.shape[1]), dtype=np.float32)
            table[row, column] = vectors
        if len(rows) == len(digests):
            return table
        return table[[rows[digest] for digest in digests]]

    def each(self, digests: Sequence[str], view: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Vectors of different images part by part, in memory that does not grow with their number.

        Yields:
            `(n,) int64` indices into `digests`, and their vectors, `(n, D) float32`. Each image comes once.

        Raises:
            FeatureStoreError: one is not in the store, which is known at the end; or a part cannot be read.

        """
        for row, _, vectors in self._wanted({digest: row for row, digest in enumerate(digests)}, [view]):
            yield row, vectors

    def _wanted(
        self, rows: Mapping[str, int], views: Sequence[str]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Row, column (of the view) and vector of what is wanted of each part, the first of equal ones."""
        columns = {view: column for column, view in enumerate(views)}
        found = np.zeros((len(rows), len(views)), dtype=bool)
        for digests, part_views, vectors in self._parts(self._names()):
            row = np.array([rows.get(digest, -1) for digest in digests], dtype=np.int64)
            column = np.array([columns.get(view, -1) for view in part_views], dtype=np.int64)
            wanted = np.flatnonzero((row >= 0) & (column >= 0))
            wanted = wanted[~found[row[wanted], column[wanted]]]
            found[row[wanted], column[wanted]] = True
            if wanted.size:
                yield row[wanted], column[wanted], vectors[wanted]
        if not found.all():
            raise missing_vectors(self.folder, int(found.size - found.sum()), found.size)

    def _names(self) -> list[str]:
        """Names of the parts, in the order in which they are read."""
        return sorted(path.name for path in self.folder.glob(f"*{_SUFFIX}"))

    def _parts(self, names: Sequence[str]) -> Iterator[tuple[list[str], list[str], np.ndarray]]:
        for path in (self.folder / name for name in names):
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
        _LOG.warning(f"The part {path} is damaged; it was set aside and its images are embedded anew.")


def _serialize(digests: Sequence[str], views: Sequence[str], vectors: np.ndarray) -> memoryview:
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
    # Not `read_table`, which imports datasets first: a third of a second.
    table = pq.ParquetFile(pa.BufferReader(data)).read()
    column = table["vector"].combine_chunks()
    if not pa.types.is_fixed_size_binary(column.type):  # Spark knows plain binary only
        column = column.cast(pa.binary(len(column[0].as_py())))
    width = column.type.byte_width
    numbers = np.frombuffer(column.buffers()[1], "<f4", len(column) * width // 4, column.offset * width)
    return table["sha256"].to_pylist(), table["view"].to_pylist(), numbers.reshape(len(column), width // 4)
