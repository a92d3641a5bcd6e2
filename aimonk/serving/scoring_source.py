"""What is scored: the images of a folder, or the rows of a Parquet file, here or in a bucket."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..data.list_images import ImageList, images_in, kind_by_name
from ..errors import ImagesError
from ..runtime.image_cell import image_bytes
from ..runtime.predictor import Source
from .remote_files import local_path, open_location, reading

_FETCHES = 16
"""Remote files that are fetched at once: a bucket answers each in some 50 ms, whatever its size."""


@dataclass(frozen=True)
class ScoringSource:
    """Images in a fixed order, which may be read from any of them on."""

    names: list[str]
    """One per image, all different."""
    fingerprint: str
    """Hex SHA-256 that changes when the images do."""
    images: Callable[[int], Iterator[Source]]
    """The images from a number on, each as `Predictor.stream` takes it."""
    skipped: dict[str, int]
    """Files that are not images, counted by kind."""
    files: tuple[str, ...] = ()
    """Of a folder: the images' paths in it, as the system names them."""


def folder_source(uri: str | Path) -> ScoringSource:
    """All image files below a folder, sorted by name.

    Raises:
        ImagesError: there is no such folder, or no image in it.
        AimonkError: it cannot be read.
    """
    fs, root = open_location(uri)
    here = local_path(fs, root)
    found = images_in(here) if here else reading(str(uri), lambda: _remote_images(fs, root, str(uri)))
    names = found.names
    facts = (f"{name}\0{_identity(fs, root, name)}" for name in names)
    digest = hashlib.sha256("\n".join(facts).encode("utf-8", "surrogateescape")).hexdigest()

    def images(start: int) -> Iterator[Source]:
        if here:
            return (here / name for name in islice(names, start, None))
        return fetched(lambda name: _content(fs, f"{root}/{name}"), islice(names, start, None))

    shown = [printable(name) for name in names]
    return ScoringSource(shown, digest, images, found.skipped, names)


def fetched(fetch: Callable[[Any], Source], keys: Iterable[Any]) -> Iterator[Source]:
    """Call a function that waits for another machine, for several keys at once; answers keep the order."""
    source = iter(keys)
    with ThreadPoolExecutor(_FETCHES, thread_name_prefix="fetch") as pool:
        waiting: deque[Future[Source]] = deque(
            pool.submit(fetch, key) for key in islice(source, 2 * _FETCHES)
        )
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(fetch, key) for key in islice(source, 1))


def located(text: str, fs: Any, folder: str) -> Source:
    """The image that a cell of text names: a path relative to the table's folder, a URI, or base64."""
    if text[:5].lower() == "data:" or len(text) > 1024:  # no path is that long
        return image_bytes(text)
    if "://" in text:
        return _content(*open_location(text))
    here = local_path(fs, folder)
    return here / text if here else _content(fs, text if text.startswith("/") else f"{folder}/{text}")


def printable(name: str) -> str:
    r"""A file's name as text: bytes that are not UTF-8, which Python keeps as surrogates, become `\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def all_different(names: Iterable[str | None]) -> list[str]:
    """Names of rows; a repeated or missing one gets its row's number, counted from 0.

    >>> all_different(["a", "a", None])
    ['a', 'a (row 1)', 'row 2']
    """
    seen: set[str] = set()
    found = []
    for number, name in enumerate(names):
        unique = printable(name) if name else f"row {number}"
        if unique in seen:
            unique = f"{unique} (row {number})"
        while unique in seen:  # a name may look like one that was made here
            unique += "'"
        seen.add(unique)
        found.append(unique)
    return found


def _content(fs: Any, path: str) -> Source:
    try:
        return bytes(fs.cat_file(path))
    except OSError as error:
        return ImagesError(f"the file cannot be read: {error.strerror or type(error).__name__}")


def _relative(fs: Any, root: str) -> list[str]:
    return sorted(path.removeprefix(root.rstrip("/") + "/") for path in fs.find(root))


def _remote_images(fs: Any, root: str, uri: str) -> ImageList:
    """The same choice that `images_in` makes here, by names alone; one without a suffix may be an image."""
    if not fs.isdir(root):
        raise ImagesError(f"There is neither a folder nor a file {uri}; give one of them to --data.")
    names, skipped = [], Counter[str]()
    for name in _relative(fs, root):
        kind = kind_by_name(name)
        if kind is None or (kind == "other files" and not os.path.splitext(name)[1]):
            names.append(name)
        else:
            skipped[kind] += 1
    if not names:
        raise ImagesError(f"There is no image file below {uri}; give the folder of images to --data.")
    return ImageList(tuple(names), dict(skipped.most_common()))


def _identity(fs: Any, root: str, name: str) -> str:
    here = local_path(fs, root)
    if not here:
        return str(fs.ukey(f"{root}/{name}"))
    try:
        facts = (here / name).stat()
    except OSError:
        return "absent"
    return f"{facts.st_size} {facts.st_mtime_ns}"
