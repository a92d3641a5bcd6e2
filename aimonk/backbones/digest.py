"""The digest of a file, by which stored features know which network made them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import BackboneError


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes as a hex string.

    Raises:
        BackboneError: the file cannot be read.

    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackboneError(f"Cannot read {path} ({error.strerror}); check the file.") from error
