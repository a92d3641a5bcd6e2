"""Files and folders by path or URI: `s3://`, `gs://`, `abfs://`, `memory://`, `file://` or none at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from ..errors import AimonkError

Result = TypeVar("Result")


def open_location(uri: str | Path) -> tuple[Any, str]:
    """Return the `fsspec` file system of a path or URI, and the path in it.

    Raises:
        AimonkError: the URI's scheme is unknown, or the package that reads it is not installed.

    >>> fs, path = open_location("memory://bucket/a.parquet")
    >>> path
    '/bucket/a.parquet'
    """
    try:
        fs, path = fsspec.core.url_to_fs(str(uri))
    except ImportError as error:
        raise AimonkError(f"{uri} cannot be opened: {str(error).rstrip('.')}.") from None
    except ValueError as error:
        raise AimonkError(f"{uri} cannot be opened ({error}); use s3://, gs://, abfs:// or a path.") from None
    return fs, str(path)


def local_path(fs: Any, path: str) -> Path | None:
    """The path on this machine, or None where the file lies elsewhere."""
    return Path(path) if isinstance(fs, LocalFileSystem) else None


def same_place(first: tuple[Any, str], second: tuple[Any, str]) -> bool:
    """Whether two locations are one file or folder, links followed."""
    here, there = local_path(*first), local_path(*second)
    if here and there:
        return here.resolve() == there.resolve() or (
            there.exists() and here.exists() and here.samefile(there)
        )
    return bool(first[0] == second[0] and first[1].rstrip("/") == second[1].rstrip("/"))


def lies_in(inner: tuple[Any, str], outer: tuple[Any, str]) -> bool:
    """Whether a location lies below a folder, links followed."""
    here, there = local_path(*inner), local_path(*outer)
    if here and there:
        return there.resolve() in here.resolve().parents
    return bool(inner[0] == outer[0] and inner[1].startswith(outer[1].rstrip("/") + "/"))


@contextmanager
def writing(out: str) -> Iterator[None]:
    """Turn what goes wrong while scores are written into one sentence.

    Raises:
        AimonkError: the place cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise AimonkError(f"The scores cannot be written to {out}: {error.strerror or error}.") from None


def reading(where: str, read: Callable[[], Result]) -> Result:
    """Call a function that reads; what goes wrong becomes one sentence.

    Raises:
        AimonkError: the place cannot be read.
    """
    try:
        return read()
    except OSError as error:
        raise AimonkError(f"{where} cannot be read: {error.strerror or error}.") from None
