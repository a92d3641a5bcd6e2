from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from aimonk.runtime.heap import give_back_memory, keep_heap_small

RESIDENT = """
def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1024
"""
SMALL_OBJECTS = """
from aimonk.runtime.heap import give_back_memory
made = [bytes(1000) for _ in range(200_000)]
kept = made[::100]
del made
before = resident()
give_back_memory()
print(before, resident(), sum(map(len, kept)))
"""
LARGE_BLOCKS = """
from aimonk.runtime.heap import keep_heap_small
if {called}:
    keep_heap_small(arenas=2)
first = bytearray(b"1") * 2_500_000
del first  # glibc now keeps blocks of this size
blocks = [bytearray(b"1") * 2_400_000 for _ in range(40)]
kept = blocks[-1]
del blocks
print(resident())
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def said(code: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", RESIDENT + code], capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


@linux
def test_memory_between_live_objects_is_given_back() -> None:
    before, after, kept = said(SMALL_OBJECTS)
    assert kept == 2_000 * 1000
    assert before > 200, "nothing was kept, so nothing is shown"
    assert after < before - 100


@linux
def test_large_blocks_are_returned_when_they_are_freed() -> None:
    (without,), (with_it,) = said(LARGE_BLOCKS.format(called=False)), said(LARGE_BLOCKS.format(called=True))
    assert without > 80, "nothing was kept, so nothing is shown"
    assert with_it < without - 60


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back_memory()
    keep_heap_small(arenas=2)
