from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from aimonk.training.linear_probe.lanes import ALONE, FEWEST, Lanes, opened_lanes


def stretch(part: slice) -> tuple[int, int]:
    return part.start, part.stop


def test_every_row_is_in_one_lane_in_order() -> None:
    with ThreadPoolExecutor(3) as pool:
        assert Lanes(3, pool).each(stretch, 1000) == [(0, 333), (333, 666), (666, 1000)]


def test_few_rows_are_not_shared() -> None:
    with ThreadPoolExecutor(3) as pool:
        assert Lanes(3, pool).each(stretch, FEWEST - 1) == [(0, FEWEST - 1)]
        assert Lanes(3, pool).each(stretch, 2 * FEWEST) == [(0, FEWEST), (FEWEST, 2 * FEWEST)]
    assert ALONE.each(stretch, 1000) == [(0, 1000)]
    assert ALONE.each(stretch, 0) == [(0, 0)]


def test_a_lane_is_a_thread_and_has_the_callers_errstate() -> None:
    together = threading.Barrier(2)

    def work(part: slice) -> float:
        together.wait(20)  # both are under way at once
        return float(np.float32(3e38) * np.float32(10.0))

    with ThreadPoolExecutor(2) as pool, np.errstate(over="ignore"):
        assert Lanes(2, pool).each(work, 1000) == [np.inf, np.inf]
    with ThreadPoolExecutor(2) as pool, np.errstate(over="raise"), pytest.raises(FloatingPointError):
        Lanes(2, pool).each(work, 1000)


def blas_threads() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_blas_has_one_thread_until_the_last_lanes_are_closed() -> None:
    """The limit is one of the process; lanes that overlap must not leave it behind."""
    before = blas_threads()
    first, second = opened_lanes(), opened_lanes()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


def test_lanes_may_be_opened_and_closed_by_different_threads() -> None:
    """As in a sweep, whose threads stay: threadpoolctl obeys the first that sets a limit, until it ends."""
    before = blas_threads()
    limited, restored = [], []
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        for opener, closer in [(one, another), (another, one), (one, one), (another, another)]:
            lanes = opened_lanes()
            opener.submit(lanes.__enter__).result()
            limited.append(blas_threads())
            closer.submit(lanes.__exit__, None, None, None).result()
            restored.append(blas_threads())
    assert limited == [[1] * len(before)] * 4
    assert restored == [before] * 4
