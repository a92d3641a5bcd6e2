"""What every image file is: its digest, format, size and perceptual hash, kept between runs."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ..errors import ImagesError
from ..runtime.decode_limits import TRAINING, DecodeLimits
from ..runtime.image_file import read_image_file
from ..runtime.processors import usable_processors
from .fingerprint import Picture, is_flat, look_at
from .folder_boundary import resolve_in
from .image_cache import Memory, State
from .labels import check_folder


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One file named by a label row. `problem` is None when the image can be used."""

    name: str
    path: Path
    sha256: str | None
    """Hex digest of the file's bytes; None when the file is missing."""
    size: int
    """Bytes."""
    format: str | None
    """Pillow's name of the true format, e.g. `JPEG`."""
    width: int
    height: int
    phash: int | None
    """64-bit perceptual hash of the upright image."""
    phash_flipped: int | None
    """The same of its mirror image, so that a flipped copy is found."""
    problem: str | None
    """None, `missing`, or why the file cannot be decoded."""
    thumbnail: bytes | None = None
    """32 x 32 gray pixels, row by row: what tells alike hashes of unlike images apart."""
    border: bytes | None = None
    """Mean colors along the border, see `Picture`."""
    camera: str = ""
    quantization: float | None = None
    """Mean of a JPEG's first quantization table."""

    @property
    def flat(self) -> bool:
        """Whether the image shows one gray level only, see `is_flat`; False where nothing was decoded."""
        return self.thumbnail is not None and is_flat(self.thumbnail)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one file is; `seen` is None for a file that could not be read."""

    facts: ImageFacts
    seen: tuple[State, Picture] | None = None


Item = TypeVar("Item")

BATCH = 512
"""Files read between two writes of the memory. An interruption loses about so many."""


def scan(
    data: Path,
    names: Sequence[str],
    cache: Path | None,
    progress: Callable[[int, int], None] | None = None,
    limits: DecodeLimits = TRAINING,
) -> tuple[ImageFacts, ...]:
    """Return the facts of the images `names` in the folder `data`, in that order; see `look_up`."""
    found = {facts.name: facts for facts in look_up(data, names, cache, progress, limits)}
    return tuple(found[name] for name in names)


def look_up(
    data: Path,
    names: Sequence[str],
    cache: Path | None,
    progress: Callable[[int, int], None] | None = None,
    limits: DecodeLimits = TRAINING,
) -> Iterator[ImageFacts]:
    """Yield the facts of each of the images `names` in the folder `data` once, in the order they are found.

    Files are read and decoded in threads. A file that still has the size, times and inode it had in an
    earlier run is not opened again, and bytes known from any other file are not decoded again.

    Args:
        data: the folder of images.
        names: paths relative to it; names that are not UTF-8 are strings with surrogate escapes.
        cache: the folder where the facts are kept between runs; None keeps them nowhere.
        progress: called with (files done, files), from this thread.
        limits: what is refused; the refusal is the image's `problem`.

    Yields:
        Facts, whose `problem` says why a file is missing, cannot be opened, or cannot be decoded.

    Raises:
        ImagesError: `data` is no folder, or an empty one.
        LabelsError: a name leads out of the folder.
    """
    check_folder(data)
    root = os.path.realpath(data)
    paths = {name: resolve_in(root, name) for name in names}
    done = 0
    with Memory(cache, limits) as memory:
        known = memory.files(root)
        unread = []
        _report(progress, 0, len(paths))
        for name, path in paths.items():
            if (facts := _remembered(name, path, known.get(path), memory)) is None:
                unread.append((name, path))
                continue
            yield facts
            done += 1
            _report(progress, done, len(paths))
        with closing(_read_all(unread, memory, limits)) as reading:
            for batch in _batches(reading, BATCH):
                memory.remember(root, [(str(one.facts.path), *one.seen) for one in batch if one.seen])
                for one in batch:
                    yield one.facts
                    done += 1
                    _report(progress, done, len(paths))


def _report(progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _remembered(name: str, path: str, state: State | None, memory: Memory) -> ImageFacts | None:
    if state is None or not state.still_holds(path):
        return None
    picture = memory.picture(state.sha256)
    return None if picture is None else _facts(name, path, state, picture)


def _read_all(
    files: Sequence[tuple[str, str]], memory: Memory, limits: DecodeLimits
) -> Generator[_Found, None, None]:
    if not files:
        return
    pool = ThreadPoolExecutor(max_workers=usable_processors())
    try:
        for some in _batches(files, BATCH):  # each file submitted keeps a kilobyte until it is read
            yield from pool.map(lambda file: _read(file[0], file[1], memory, limits), some)
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C, the files not yet begun stay unread


def _read(name: str, path: str, memory: Memory, limits: DecodeLimits) -> _Found:
    before = time.time_ns()
    try:
        content, status = read_image_file(path, limits)
    except ImagesError as error:
        return _Found(_unusable(name, path, str(error)))
    state = State.of(status, before, hashlib.sha256(content).hexdigest())
    picture = memory.picture(state.sha256)
    if picture is None:
        try:
            picture = look_at(content, limits)
        except ImagesError as error:
            picture = Picture.unusable(str(error))
    return _Found(_facts(name, path, state, picture), (state, picture))


def _facts(name: str, path: str, state: State, picture: Picture) -> ImageFacts:
    return ImageFacts(
        name=name,
        path=Path(path),
        sha256=state.sha256,
        size=state.size,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        phash=picture.phash,
        phash_flipped=picture.phash_flipped,
        problem=picture.problem,
        thumbnail=picture.thumbnail,
        border=picture.border,
        camera=picture.camera,
        quantization=picture.quantization,
    )


def _unusable(name: str, path: str, problem: str) -> ImageFacts:
    return ImageFacts(name, Path(path), None, 0, None, 0, 0, None, None, problem)
