"""What the C++ and Java of libraries say while they start, kept off the user's screen."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def hushed() -> Iterator[Callable[[], str]]:
    """Send file descriptor 2 to a file, and yield what reads that file.

    Python's own `sys.stderr` (a progress bar of another thread) keeps writing to the screen. A process
    that is started meanwhile writes to the file as long as it lives.
    """
    sys.stderr.flush()
    screen = os.dup(2)
    own = sys.stderr
    with tempfile.TemporaryFile() as chatter, os.fdopen(screen, "w", buffering=1) as direct:

        def said() -> str:
            chatter.seek(0)
            return chatter.read().decode(errors="replace")

        os.dup2(chatter.fileno(), 2)
        if _writes_to_descriptor_2(own):
            sys.stderr = direct
        try:
            yield said
        finally:
            sys.stderr = own
            os.dup2(screen, 2)


def _writes_to_descriptor_2(stream: Any) -> bool:
    try:
        return bool(stream.fileno() == 2)
    except (AttributeError, OSError, ValueError):
        return False
