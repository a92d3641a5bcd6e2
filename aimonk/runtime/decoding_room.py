"""Room for large images that are unpacked at once, so that many cores do not take many times the memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

SMALL = 1_000_000
"""Pixels up to which an image is not counted: it takes 16 MB at most."""


class DecodingRoom:
    """Pixels that all threads are unpacking together. Who finds no room waits, in the order of coming.

    >>> with DecodingRoom().hold(pixels=12_000_000, most=25_000_000):
    ...     pass  # unpack the image
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._taken = 0

    @contextmanager
    def hold(self, pixels: int, most: int) -> Iterator[None]:
        """Hold room for an image of so many pixels, where images together may have `most`.

        An image alone always has room, however large it is.
        """
        if pixels <= SMALL:
            yield
            return
        with self._turn, self._changed:  # later ones queue behind the turn, or a large image might never fit
            self._changed.wait_for(lambda: not self._taken or self._taken + pixels <= most)
            self._taken += pixels
        try:
            yield
        finally:
            with self._changed:
                self._taken -= pixels
                self._changed.notify_all()


ROOM = DecodingRoom()
"""Of this process. Images that are unpacked at once have together no more pixels than one may have."""
