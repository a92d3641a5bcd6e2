"""SIGTERM ends a command as Ctrl-C does: the stack is unwound, so that nothing is left in disorder."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminable() -> Iterator[None]:
    """Raise SystemExit where SIGTERM arrives meanwhile; outside the main thread it changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def resumable(how: str) -> Iterator[None]:
    """Note on Ctrl-C and SIGTERM how to resume, which the command line then says."""
    try:
        with terminable():
            yield
    except (KeyboardInterrupt, SystemExit) as error:
        error.add_note(how)
        raise
