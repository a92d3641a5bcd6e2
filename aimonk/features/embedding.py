"""Images to stored features. Only images that the store lacks are read and passed through the backbone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..atomic_files import tidy
from ..config import FeaturesConfig
from ..errors import FeatureStoreError, ImagesError
from .cache_key import FeatureKey
from .extractor import FeatureExtractor
from .feature_store import FeatureStore
from .feature_table import missing_vectors
from .image_reader import Job, Pixels, ReadAhead
from .image_vectors import ImageVectors
from .views import PLAIN, check_views

Progress = Callable[[int, int], None]
"""(done, total) of the forward passes that are needed."""

_PART_ROWS = 512
_PART_SECONDS = 10.0
_ATTEMPTS = 2
"""Building a table may find a damaged part, whose images are then computed again."""
_SAMPLES = 16
"""Images on which a new backbone's precision is checked."""

_Row = tuple[str, str]
"""Digest and view."""


@dataclass(frozen=True)
class Filled:
    """What it took to complete the store for some images."""

    key: FeatureKey
    folder: Path
    """The folder of the parts."""
    images: int
    """Distinct images asked for."""
    decoded: int
    """Of these, how many files had to be read."""
    forward_passes: int
    """Views of images passed through the backbone; 0 when all were there."""
    seconds: float


@dataclass(frozen=True)
class Features:
    """Features of images in the order of the files, read where they lie in the store's table."""

    vectors: ImageVectors
    views: tuple[str, ...]
    """Names of the views, in the order of `vectors.rows`."""
    filled: Filled

    @property
    def key(self) -> FeatureKey:
        """What the vectors depend on."""
        return self.filled.key

    @property
    def forward_passes(self) -> int:
        """Views of images passed through the backbone for this; 0 when all were stored."""
        return self.filled.forward_passes

    @property
    def seconds(self) -> float:
        """Time it took to complete the store."""
        return self.filled.seconds

    @property
    def plain(self) -> np.ndarray:
        """A copy of the vectors of the images as they are, `(N, D) float32`."""
        return self.view(PLAIN)

    def view(self, name: str) -> np.ndarray:
        """A copy of one view of every image, `(N, D) float32`."""
        return self.vectors.take(np.arange(self.vectors.images), self.views.index(name))


def embed(
    files: Sequence[tuple[str, Path]],
    config: FeaturesConfig,
    store: Path | None = None,
    views: Sequence[str] | None = None,
    progress: Progress | None = None,
    backbone: FeatureExtractor | None = None,
) -> Features:
    """Features of images, from the store where it has them, else computed and stored.

    The vectors stay on disk, memory-mapped, and are read where they lie.

    Args:
        files: hex SHA-256 and path of each image; the same digest may come several times.
        config: backbone, weights, engine and precision.
        store: folder of the feature store; by default `store_folder(config)`.
        views: names of the views; by default `config.views`.
        progress: called with (done, total) forward passes.
        backbone: one of the same settings and store, if its model or graph is open already.

    Raises:
        BackboneError: the backbone or its weights cannot be loaded.
        ConfigError: a view is unknown.
        FeatureStoreError: the store cannot be written or read.
        ImagesError: there is no file, one cannot be read, or one has changed since its digest was taken.

    """
    names = tuple(config.views if views is None else views)
    passes = 0
    for _ in range(_ATTEMPTS):
        filled = fill_store(files, config, store, names, progress, backbone)
        passes += filled.forward_passes
        table = FeatureStore(filled.folder).table()
        rows = table.rows([digest for digest, _ in files], names)
        if (rows >= 0).all():
            vectors = ImageVectors(table.matrix, rows, table.mapped)
            return Features(vectors, names, replace(filled, forward_passes=passes))
    raise missing_vectors(filled.folder, int((rows < 0).sum()), rows.size)


def fill_store(
    files: Sequence[tuple[str, Path]],
    config: FeaturesConfig,
    store: Path | None = None,
    views: Sequence[str] | None = None,
    progress: Progress | None = None,
    backbone: FeatureExtractor | None = None,
) -> Filled:
    """Compute and store the features that the store lacks, in memory that does not grow with the images.

    Results are written every 512 rows or 10 s. After an interruption the next run computes what is missing.
    Arguments and errors are those of `embed`.
    """
    begin = time.monotonic()
    names = tuple(config.views if views is None else views)
    check_views(names)
    paths = distinct(files)
    backbone = backbone or FeatureExtractor(config, store)
    key = backbone.known_key()
    known = _parts(backbone, key).known() if key else set()
    jobs = lacking(paths, names, known)
    passes = 0
    if jobs or key is None:
        # Reading starts before the engine is there: on a first run that takes TensorFlow's 6 s.
        with ReadAhead(jobs, backbone.size) as pixels:
            if key is None:
                key = backbone.key(lambda: pixels.peek(_SAMPLES), len(jobs))
                known = _parts(backbone, key).known()
                jobs = lacking(paths, names, known)
            passes = _run(backbone, key, pixels, known, sum(len(job.views) for job in jobs), progress)
    folder = backbone.store / key.folder
    return Filled(key, folder, len(paths), len(jobs), passes, time.monotonic() - begin)


def _parts(backbone: FeatureExtractor, key: FeatureKey) -> FeatureStore:
    return FeatureStore(backbone.store / key.folder)


def distinct(files: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """A path for each digest.

    Raises:
        ImagesError: there is no file.

    """
    if not files:
        raise ImagesError("There is no image to embed; check the labels file and the data folder.")
    return dict(files)


def lacking(paths: Mapping[str, Path], views: Sequence[str], known: Set[_Row]) -> list[Job]:
    """What is to be computed of some images, by digest, where the store has `known`."""
    jobs = (
        Job(digest, path, tuple(view for view in views if (digest, view) not in known))
        for digest, path in paths.items()
    )
    return [job for job in jobs if job.views]


def compute(jobs: Sequence[Job], backbone: FeatureExtractor, key: FeatureKey) -> int:
    """Compute and store what the jobs say, whatever the store has; returns the number of forward passes.

    Errors are those of `embed`.
    """
    with ReadAhead(jobs, backbone.size) as pixels:
        return _run(backbone, key, pixels, set(), sum(len(job.views) for job in jobs), None)


def _run(
    backbone: FeatureExtractor,
    key: FeatureKey,
    pixels: ReadAhead,
    known: set[_Row],
    total: int,
    progress: Progress | None,
) -> int:
    """Pass what is not known through the engine and store it; returns the number of forward passes."""
    if not total:
        return 0
    engine = backbone.engine(key)
    wanted = (item for item in pixels if (item.sha256, item.view) not in known)
    done = 0
    store = _parts(backbone, key)
    for folder in (store.folder, store.folder.parent):
        tidy(folder)
    stream = engine.stream(batches(wanted, engine.batch))
    with contextlib.closing(stream), _PartWriter(store) as writer:  # type: ignore[type-var]
        for rows, vectors in stream:
            writer.add(rows, vectors)
            done += len(rows)
            if progress:
                progress(done, total)
    return done


def batches(items: Iterator[Pixels], size: int) -> Iterator[tuple[list[_Row], np.ndarray]]:
    """Stack pixels to `(size, H, W, 3)`; the last batch may be smaller."""
    batch: list[Pixels] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield _stack(batch)
            batch = []
    if batch:
        yield _stack(batch)


def _stack(batch: list[Pixels]) -> tuple[list[_Row], np.ndarray]:
    return [(item.sha256, item.view) for item in batch], np.stack([item.pixels for item in batch])


class _PartWriter:
    """Gathers rows and writes a part when there are enough of them, or after a while."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._rows: list[_Row] = []
        self._vectors: list[np.ndarray] = []
        self._since = time.monotonic()

    def __enter__(self) -> _PartWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is there also after Ctrl-C or an unreadable image: it is right, and it was work."""
        if kind is None:
            self.flush()
        elif not issubclass(kind, FeatureStoreError):
            with contextlib.suppress(FeatureStoreError):
                self.flush()

    def add(self, rows: list[_Row], vectors: np.ndarray) -> None:
        """Take `(n, D)` vectors of n rows."""
        self._rows += rows
        self._vectors.append(vectors)
        if len(self._rows) >= _PART_ROWS or time.monotonic() - self._since > _PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write a part of what has been gathered."""
        if self._rows:
            digests, views = zip(*self._rows, strict=True)
            self._store.put(digests, views, np.concatenate(self._vectors))
        self._rows, self._vectors, self._since = [], [], time.monotonic()
