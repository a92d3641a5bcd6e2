"""Image files decoded by threads ahead of their use, in bounded memory."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import ImagesError
from ..runtime.decode_limits import LOOKED_AT
from ..runtime.decoder import decode
from ..runtime.processors import usable_processors
from .views import apply_view

_AHEAD = 8 * 2**20
"""Bytes of decoded pixels waiting, at most: they should still be in the processor's cache when used."""


@dataclass(frozen=True, slots=True)
class Job:
    """An image file and the views wanted of it."""

    sha256: str
    path: Path
    views: tuple[str, ...]


@dataclass(frozen=True)
class Pixels:
    """One view of one image; `pixels` is `(H, W, 3) uint8`."""

    sha256: str
    view: str
    pixels: np.ndarray


def read_views(job: Job, size: tuple[int, int]) -> list[Pixels]:
    """Read a file, check its digest, decode it and draw its views.

    Args:
        job: the file, the digest it must have, and the views.
        size: height and width in pixels.

    Raises:
        ImagesError: the file cannot be read or decoded, or has changed since its digest was taken.

    """
    try:
        data = job.path.read_bytes()
    except OSError as error:
        raise ImagesError(f"Cannot read image {job.path} ({error.strerror}); check the file.") from error
    if hashlib.sha256(data).hexdigest() != job.sha256:
        raise ImagesError(f"Image {job.path} has changed since this run began; run the command again.")
    try:
        image = decode(data, size, LOOKED_AT)
    except ImagesError as error:
        raise ImagesError(f"Cannot use image {job.path} ({error}); replace or remove it.") from error
    return [Pixels(job.sha256, view, apply_view(view, image, job.sha256)) for view in job.views]


class ReadAhead:
    """Decodes files in threads from the moment it is entered, and yields their views in order.

    Iterating raises ImagesError as `read_views` does. Leaving it cancels what was not taken.

    Args:
        jobs: the files.
        size: height and width in pixels.

    """

    def __init__(self, jobs: Sequence[Job], size: tuple[int, int]) -> None:
        views = max((len(job.views) for job in jobs), default=1)
        self._size = size
        self._jobs = iter(jobs)
        self._threads = usable_processors()
        self._window = max(2 * self._threads, _AHEAD // (size[0] * size[1] * 3 * views))
        self._waiting: deque[Future[list[Pixels]]] = deque()

    def __enter__(self) -> ReadAhead:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="decode")
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._waiting.clear()

    def __iter__(self) -> Iterator[Pixels]:
        while self._waiting:
            views = self._waiting.popleft().result()
            self._fill()
            yield from views

    def peek(self, count: int) -> np.ndarray:
        """Pixels of the first files, `(at most count, H, W, 3) uint8`. They stay in the queue."""
        return np.stack([future.result()[0].pixels for future in islice(self._waiting, count)])

    def _fill(self) -> None:
        for job in islice(self._jobs, self._window - len(self._waiting)):
            self._waiting.append(self._pool.submit(read_views, job, self._size))
