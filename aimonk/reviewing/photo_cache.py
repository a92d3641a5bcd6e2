"""Photos as the page shows them: small JPEGs, made once and kept in memory up to a bound."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from pathlib import Path

from PIL import Image

from ..runtime.decode_limits import LOOKED_AT
from ..runtime.decoder import decode, describe
from ..runtime.image_file import read_image_file

_QUALITY = 80
MEMORY = 64 * 2**20
"""Bytes of JPEGs that are kept. A thumbnail has about 10 kB, so that 6,000 of them fit."""


class PhotoCache:
    """Shrinks photos; the least recently shown ones are dropped first.

    Files are never served as they are. Each is decoded within the package's limits and encoded again, so
    that the browser sees JPEG only, whatever the file holds.
    """

    def __init__(self, paths: tuple[Path, ...], memory: int = MEMORY) -> None:
        self._paths = paths
        self._memory = memory
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes kept now."""
        return self._bytes

    def jpeg(self, row: int, side: int) -> bytes:
        """Return photo `row`, whose longer side is `side` pixels or fewer, as a JPEG.

        Raises:
            IndexError: there is no such row.
            ImagesError: the file has gone or is no image any more.
        """
        if not 0 <= row < len(self._paths):
            raise IndexError(row)
        key = (row, side)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = _shrunk(self._paths[row], side)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > self._memory:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return made


def _shrunk(path: Path, side: int) -> bytes:
    content, _ = read_image_file(path)
    upright = describe(content, LOOKED_AT)
    scale = min(1.0, side / max(upright.width, upright.height))
    size = max(1, round(upright.height * scale)), max(1, round(upright.width * scale))
    buffer = io.BytesIO()
    Image.fromarray(decode(content, size, LOOKED_AT)).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
