from __future__ import annotations

import os

import pytest

from aimonk.runtime.processors import usable_processors


def test_those_that_the_process_is_confined_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7}, raising=False)
    assert usable_processors() == 3


@pytest.mark.parametrize(("told", "taken"), [(6, 6), (None, 1)])
def test_all_of_the_machine_elsewhere(monkeypatch: pytest.MonkeyPatch, told: int | None, taken: int) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert usable_processors() == taken
