"""Rows shared out among threads, one per processor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

from ...runtime.processors import usable_processors

T = TypeVar("T")
FEWEST = 256
"""Rows of a lane: below this, handing them to a thread costs more than it saves."""


class Lanes:
    """Each thread takes one stretch of the rows, from its first block to its last.

    BLAS has threads of its own, but the product of a block of rows and a narrow kernel hardly fills them, and
    what NumPy does before and after it runs in one. A lane has a processor for all of that.

    Args:
        lanes: how many.
        pool: with a thread for each, or None for one lane in the caller's thread.

    """

    def __init__(self, lanes: int = 1, pool: ThreadPoolExecutor | None = None) -> None:
        self._lanes, self._pool = lanes, pool

    def each(self, work: Callable[[slice], T], rows: int) -> list[T]:
        """What `work` returns for each stretch of `rows` rows, in order.

        The stretches depend on the number of rows and of processors alone, so sums over them do too.
        """
        lanes = max(1, min(self._lanes, rows // FEWEST))
        ends = [rows * lane // lanes for lane in range(lanes + 1)]
        parts = [slice(first, end) for first, end in zip(ends[:-1], ends[1:], strict=True)]
        if lanes == 1 or self._pool is None:
            return [work(part) for part in parts]
        # In the caller's context, which holds what NumPy is to do about overflows.
        running = [self._pool.submit(copy_context().run, work, part) for part in parts]
        return [future.result() for future in running]


ALONE = Lanes()
"""One lane."""


@contextmanager
def opened_lanes() -> Iterator[Lanes]:
    """Open lanes; meanwhile BLAS computes every product in the thread that asks for it.

    >>> with opened_lanes() as lanes:
    ...     sum(lanes.each(lambda part: part.stop - part.start, 1000))
    1000
    """
    lanes = usable_processors()
    with _SINGLE_THREADED, ThreadPoolExecutor(lanes, thread_name_prefix="lane") as pool:
        yield Lanes(lanes, pool)


class _SingleThreadedBlas:
    """Counts who wants it: the limit is one of the whole process, and a sweep fits in several threads.

    A thread of its own sets the limit and takes it back. Of threads that set limits, threadpoolctl 3.8 lets
    the first one do so until it ends, and does not say that it ignores the others.
    """

    def __init__(self) -> None:
        self._lock, self._wanted = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._wanted:
                self._holder = ThreadPoolExecutor(1, thread_name_prefix="blas")
                self._limit = self._holder.submit(_libraries().limit, limits=1, user_api="blas").result()
            self._wanted += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted:
                self._holder.submit(self._limit.restore_original_limits).result()
                self._holder.shutdown()


_SINGLE_THREADED = _SingleThreadedBlas()


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()  # looks through every library of the process
