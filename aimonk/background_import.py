"""Slow imports that happen while a command reads files."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def imported_in_background(*modules: str) -> Iterator[None]:
    """Import modules in a thread that has ended when the block is left, however it is left.

    Python may neither exit nor unwind to its exit handlers while such an import runs: libraries register
    handlers of their own, which then fails with "can't register atexit after shutdown".
    """
    thread = threading.Thread(target=lambda: [importlib.import_module(module) for module in modules])
    thread.start()
    try:
        yield
    finally:
        thread.join()
