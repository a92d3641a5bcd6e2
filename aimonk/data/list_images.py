"""Which files of a folder are images, and what else lies there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import ImagesError
from ..runtime.decode_limits import TRAINING
from ..runtime.image_formats import image_suffixes, is_dicom, open_image

_OTHER_PROGRAMS = {".ipynb_checkpoints", "@eadir", "__macosx", "#recycle", "lost+found", "$recycle.bin"}
"""Folders that programs leave among photos: notebooks, Synology, macOS, recycle bins; hidden ones too."""

_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
_MOVIES = frozenset(
    (
        ".mp4", ".mov", ".avi", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".mpe", ".m2v", ".wmv", ".flv",
        ".3gp", ".mts", ".m2ts", ".ogv",
    )
)  # fmt: skip
_UNREAD = frozenset(
    (".jxl", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".svg", ".nii", ".exr", ".xcf")
)
"""Images, raw ones of cameras among them, of formats that are not read."""

_TEXTS = frozenset(
    (
        ".txt", ".md", ".rst", ".rtf", ".log", ".csv", ".tsv", ".xlsx", ".xls", ".ods", ".json", ".jsonl",
        ".xml", ".yaml", ".yml", ".toml", ".ini", ".html", ".htm", ".pdf", ".doc", ".docx", ".odt",
        ".parquet", ".py", ".ipynb",
    )
)  # fmt: skip
_TITLES = {"readme", "license", "licence", "copying", "notice", "changelog", "authors", "citation", "labels"}
"""Texts without a suffix."""

_ARCHIVES = frozenset((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"))

_STUBS = frozenset((".h5", ".hdf", ".bufr", ".grb", ".grib", ".wmf", ".emf"))
"""Suffixes that Pillow names, but reads only with other programs."""

_OTHER = "other files"

_SHORTEST = 16
"""Bytes that every image format needs for its header; Pillow looks at as many to tell the format."""

_HEAD = 2**16
"""Bytes of a file without a suffix that are looked at."""


@dataclass(frozen=True)
class ImageList:
    """The images below a folder, and how many files of which kind were skipped.

    Attributes:
        names: Paths relative to the folder, sorted.
        skipped: Files by kind, such as `{"movies": 2}`; folders that cannot be read are among them.
    """

    names: tuple[str, ...]
    skipped: dict[str, int]

    def sentence(self) -> str:
        """Return what was skipped as a sentence; empty if nothing was.

        >>> ImageList((), {"movies": 2, "texts and tables": 1}).sentence()
        'Skipped 3 files that are not images: movies (2), texts and tables (1).'
        """
        return skipped_sentence(self.skipped)


def skipped_sentence(skipped: Mapping[str, int]) -> str:
    """Return files by kind as a sentence; empty if there are none."""
    if not skipped:
        return ""
    total = sum(skipped.values())
    kinds = ", ".join(f"{kind} ({count:,})" for kind, count in skipped.items())
    files = "1 file that is not an image" if total == 1 else f"{total:,} files that are not images"
    return f"Skipped {files}: {kinds}."


def list_images(folder: Path) -> ImageList:
    """Return all images at or below a folder; links are followed.

    An image has a suffix of a format that Pillow or its plugins read, or none and begins like such a format.
    Files of other programs (`._a.jpg`, Thumbs.db, .ipynb_checkpoints, @eaDir) are no images whatever they
    are called.
    """
    names: list[str] = []
    skipped: Counter[str] = Counter()
    for path, name in _files(folder, skipped):
        kind = _kind(path)
        if kind is None:
            names.append(name)
        else:
            skipped[kind] += 1
    return ImageList(
        tuple(sorted(names)), dict(sorted(skipped.items(), key=lambda kind: (-kind[1], kind[0])))
    )


def images_in(folder: Path) -> ImageList:
    """Return all images at or below a folder that has some.

    Raises:
        ImagesError: There is no such folder, it cannot be read, or no image is in it.
    """
    if not folder.is_dir():
        raise ImagesError(f"There is neither a folder nor a file {folder}; give one of them to --data.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise ImagesError(f"The folder {folder} cannot be read (no permission): allow reading.")
    found = list_images(folder)
    if not found.names:
        skipped = f" ({found.sentence().rstrip('.')})" if found.skipped else ""
        raise ImagesError(
            f"There is no image file below {folder}{skipped}; give the folder of images to --data."
        )
    return found


def image_names(folder: Path) -> list[str]:
    """Return the names of all images at or below a folder, relative to it and sorted; see `images_in`."""
    return list(images_in(folder).names)


def _files(folder: Path, skipped: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield (path, name) of every file, each folder once however many links lead to it."""

    def unreadable(error: OSError) -> None:
        skipped["folders that cannot be read"] += 1

    seen = set()
    for parent, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for other in [name for name in folders if name.startswith(".") or name.casefold() in _OTHER_PROGRAMS]:
            folders.remove(other)
            skipped["folders of other programs"] += 1
        for name in files:
            path = os.path.join(parent, name)
            yield path, os.path.relpath(path, folder)


def _kind(path: str) -> str | None:
    """Return what a file is if it is no image."""
    kind = kind_by_name(path)
    if kind == _OTHER and not os.path.splitext(path)[1] and _begins_like_an_image(path):
        return None
    return kind


def kind_by_name(path: str) -> str | None:
    """Return what a file is by its name; None for an image.

    >>> [kind_by_name(name) for name in ("a.jpg", "._a.jpg", "README", "a.mov", "data")]
    [None, 'resource forks of macOS', 'texts and tables', 'movies', 'other files']
    """
    name = os.path.basename(path)
    if name.startswith("._"):
        return "resource forks of macOS"
    if name.startswith(".") or name.casefold() in _SYSTEM:
        return "hidden or system files"
    suffix = os.path.splitext(name)[1].lower()
    if suffix in _MOVIES:
        return "movies"
    if suffix in _readable():
        return None
    if suffix in _UNREAD:
        return f"images that cannot be read here (*{suffix})"
    if suffix in _TEXTS or name.casefold() in _TITLES:
        return "texts and tables"
    return "archives" if suffix in _ARCHIVES else _OTHER


@cache
def _readable() -> frozenset[str]:
    return frozenset(image_suffixes()) - _STUBS


def _begins_like_an_image(path: str) -> bool:
    """Return whether a file without a suffix begins like an image, be it damaged or too large to read."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return True  # the scan says why it cannot be opened
    if len(head) < _SHORTEST:
        return False
    try:
        open_image(head, TRAINING)
    except ImagesError as error:
        return is_dicom(head) or str(error) not in ("not an image", "the file is empty")
    return True
