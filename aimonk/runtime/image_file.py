"""The bytes of a file that should be an image, and of nothing else that may have its name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .decode_limits import TRAINING, DecodeLimits
from .user_errors import ImagesError


class NoSuchImage(ImagesError):
    """There is no file of that name."""


def read_image_file(path: str | Path, limits: DecodeLimits = TRAINING) -> tuple[bytes, os.stat_result]:
    """Return a regular file's bytes, and its status as it was before they were read.

    Pipes, sockets and devices are refused without waiting for a writer: the file is opened without
    blocking, and the opened file is examined, not what had that name a moment ago.

    Args:
        path: any name that the file system has, valid UTF-8 or not.
        limits: `max_bytes` applies.

    Raises:
        NoSuchImage: there is no such file.
        ImagesError: it is no regular file, too large, or cannot be read.

    Example:
        >>> content, status = read_image_file("dress.jpg")
        >>> len(content) == status.st_size
        True
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ImagesError("not a regular file")
            limits.check_bytes(status.st_size)
            return file.read(), status
    except FileNotFoundError:
        raise NoSuchImage("missing") from None
    except MemoryError:
        raise ImagesError("reading the file takes more memory than there is") from None
    except IsADirectoryError:  # Python refuses to make a file object of a folder
        raise ImagesError("a folder, not an image") from None
    except OSError as error:
        raise ImagesError(_reason(path, error)) from None


def _reason(path: str | Path, error: OSError) -> str:
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        regular = True  # the error above says more
    return f"cannot be opened ({error.strerror or error})" if regular else "not a regular file"
