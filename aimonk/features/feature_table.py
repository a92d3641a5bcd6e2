"""All vectors of one feature key in one memory-mapped file, built from the parts and checked when opened.

    <store>/<graph>/<engine>-<precision>/table-<id>.f32                  R x D float32, row after row
                                        /table-<id>-<sha256>.parquet.index   image and view of each row

The id stands for the parts that the table was built from, so a table that lacks a part is never taken for a
complete one. The index is named by the SHA-256 of its own bytes and holds that of every block of the table.
Any number of processes may build the same table at once: they write the same bytes under names of their own,
and rename them when they are complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..atomic_files import replaced_file, unwritable, write_whole
from ..errors import FeatureStoreError

_BLOCK = 4096
"""Rows whose bytes have one SHA-256."""
_FACTS = b"aimonk"
_INDEX = ".parquet.index"

Rows = tuple[Sequence[str], Sequence[str], np.ndarray]
"""Digests, views and vectors `(n, D) float32` of a part."""


@dataclass(frozen=True)
class TableIndex:
    """What is in a table: row i is view `views[i]` of the image with SHA-256 `digests[i]`."""

    digests: tuple[str, ...]
    views: tuple[str, ...]
    width: int
    """Numbers per vector, D."""
    blocks: tuple[str, ...]
    """SHA-256 of each block of rows."""

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Every `(digest, view)` of the table."""
        return set(zip(self.digests, self.views, strict=True))


@dataclass(frozen=True)
class FeatureTable:
    """An open table; `matrix` is `(R, D) float32`, memory-mapped and read-only."""

    index: TableIndex
    matrix: np.ndarray
    mapped: mmap.mmap

    def rows(self, digests: Sequence[str], views: Sequence[str]) -> np.ndarray:
        """Where images are, `(len(views), len(digests)) int64`; -1 where the table lacks one."""
        places: dict[str, dict[str, int]] = {view: {} for view in views}
        for row, (digest, view) in enumerate(zip(self.index.digests, self.index.views, strict=True)):
            if view in places:
                places[view][digest] = row
        found = [[places[view].get(digest, -1) for digest in digests] for view in views]
        return np.array(found, dtype=np.int64).reshape(len(views), len(digests))


def read_index(folder: Path, parts: Sequence[str]) -> TableIndex | None:
    """The index of the table of exactly these parts; None where there is none, or a damaged one."""
    for path in sorted(folder.glob(f"{_name(parts)}-*{_INDEX}")):
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            if path.name == _index_name(parts, data):
                return _parsed(data)
    return None


def open_table(folder: Path, parts: Sequence[str]) -> FeatureTable | None:
    """The table of exactly these parts with every byte checked; None where there is none, or a damaged one.

    Reads the whole table once, at the speed of SHA-256 on all processors.
    """
    index = read_index(folder, parts)
    if index is None:
        return None
    shape = (len(index.digests), index.width)
    try:
        with (folder / f"{_name(parts)}.f32").open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 4 * index.width * len(index.digests), access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # not there, or cut short
        return None
    matrix = np.frombuffer(mapped, "<f4").reshape(shape)
    starts = range(0, len(matrix), _BLOCK)
    blocks = [matrix[start : start + _BLOCK].data for start in starts]
    with ThreadPoolExecutor() as pool:
        digests = pool.map(lambda block: hashlib.sha256(block).hexdigest(), blocks)
        if tuple(digests) != index.blocks:
            return None
    return FeatureTable(index, matrix, mapped)


def build_table(folder: Path, parts: Sequence[str], rows: Iterable[Rows]) -> FeatureTable | None:
    """Write the table of these parts and remove those of other parts.

    Args:
        folder: where it is written.
        parts: names of the parts, sorted.
        rows: their contents in that order. Of several vectors of one image and view the first is taken.

    Returns:
        The table, opened and checked. None if another process removed it in the meantime.

    Raises:
        FeatureStoreError: the disk is full, or the folder cannot be written to.

    """
    path = folder / f"{_name(parts)}.f32"
    digests: list[str] = []
    views: list[str] = []
    hashes = _BlockHashes()
    try:
        with replaced_file(path) as temporary, temporary.open("wb") as file:
            for vectors in _distinct(rows, digests, views):
                hashes.add(vectors)
                file.write(vectors.data)
    except OSError as error:
        raise unwritable(path, error) from error
    data = _serialized(TableIndex(tuple(digests), tuple(views), hashes.width, hashes.finish()))
    write_whole(folder / _index_name(parts, data), data)
    _remove_others(folder, parts)
    return open_table(folder, parts)


def _distinct(rows: Iterable[Rows], digests: list[str], views: list[str]) -> Iterator[np.ndarray]:
    """The vectors of each part that no earlier one had; notes whose they are in both lists."""
    seen: set[tuple[str, str]] = set()
    for part_digests, part_views, vectors in rows:
        new = []
        for row, pair in enumerate(zip(part_digests, part_views, strict=True)):
            if pair not in seen:
                seen.add(pair)
                new.append(row)
                digests.append(pair[0])
                views.append(pair[1])
        chosen = vectors if len(new) == len(vectors) else vectors[new]
        yield np.ascontiguousarray(chosen, dtype="<f4")


class _BlockHashes:
    """Takes the SHA-256 of every `_BLOCK` rows, however they come."""

    def __init__(self) -> None:
        self.width = 0
        self._digests: list[str] = []
        self._rows = 0
        self._hash = hashlib.sha256()

    def add(self, vectors: np.ndarray) -> None:
        """Take `(n, D)` further rows."""
        self.width = vectors.shape[1]
        while len(vectors):
            taken = vectors[: _BLOCK - self._rows]
            self._hash.update(taken.data)
            self._rows += len(taken)
            vectors = vectors[len(taken) :]
            if self._rows == _BLOCK:
                self._close()

    def finish(self) -> tuple[str, ...]:
        """The digests of all blocks, the last one short as a rule."""
        if self._rows:
            self._close()
        return tuple(self._digests)

    def _close(self) -> None:
        self._digests.append(self._hash.hexdigest())
        self._rows, self._hash = 0, hashlib.sha256()


def _name(parts: Sequence[str]) -> str:
    return f"table-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}"


def _index_name(parts: Sequence[str], data: bytes) -> str:
    return f"{_name(parts)}-{hashlib.sha256(data).hexdigest()}{_INDEX}"


def _serialized(index: TableIndex) -> bytes:
    table = pa.table({"sha256": list(index.digests), "view": list(index.views)})
    facts = json.dumps({"width": index.width, "blocks": index.blocks})
    sink = pa.BufferOutputStream()
    table = table.replace_schema_metadata({_FACTS: facts})
    pq.write_table(table, sink, compression="none", use_dictionary=["view"], write_statistics=False)
    return bytes(sink.getvalue())


def _parsed(data: bytes) -> TableIndex:
    # Not `read_table`, which imports datasets first: a third of a second.
    table = pq.ParquetFile(pa.BufferReader(data)).read()
    facts = json.loads(table.schema.metadata[_FACTS])
    digests, views = (tuple(table[name].to_pylist()) for name in ("sha256", "view"))
    return TableIndex(digests, views, facts["width"], tuple(facts["blocks"]))


def _remove_others(folder: Path, parts: Sequence[str]) -> None:
    """Delete the tables of other parts. A process that has one open keeps it; Windows keeps the file too."""
    for path in folder.glob("table-*"):
        if not path.name.startswith(_name(parts)):
            with contextlib.suppress(OSError):
                path.unlink()


def missing_vectors(folder: Path, missing: int, total: int) -> FeatureStoreError:
    """The sentence for images that a store lacks."""
    return FeatureStoreError(f"{missing} of {total} vectors are not in {folder}; run the command again.")
