"""The heap of the C library, which keeps freed memory for later unless it is told to give it back.

Both functions do something where the C library is glibc, and nothing elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3), from malloc.h."""


def give_back_memory() -> None:
    """Return what was freed to the system, after a stage that made many small objects or large tables.

    The records of many images leave pages behind that hold a few live objects each, which glibc keeps as a
    whole. Arrow has a heap of its own that does the same.
    """
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_heap_small(arenas: int) -> None:
    """Let the heap return large blocks as soon as they are freed. A server calls it once, when it starts.

    By default glibc comes to keep freed blocks of up to 32 MB, in eight arenas per processor. What images of
    odd sizes leave in them adds up over thousands of requests.

    Args:
        arenas: heaps that threads share; a few are enough where threads compute more than they allocate.

    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 2**20)
        mallopt(_TRIM_THRESHOLD, 2**24)
        mallopt(_ARENA_MAX, arenas)
