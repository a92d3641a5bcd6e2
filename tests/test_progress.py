from __future__ import annotations

import io

import pytest
from rich.console import Console

from aimonk import progress as stages
from aimonk.progress import Stages


class Clock:
    """Goes on by what it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.mark.parametrize("terminal", [True, False])
def test_seconds_add_up_whatever_is_within_what(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    clock = Clock()
    monkeypatch.setattr(stages, "time", clock)
    told = Stages(Console(file=io.StringIO(), force_terminal=terminal))
    for _ in range(2):
        with told.stage("outer", "Outer"):
            clock.now += 1
            with told.stage("inner", "Inner") as progress:
                progress(1, 2)
                clock.now += 10
            clock.now += 2
    with told.stage("later", "Later"):
        clock.now += 5
    assert told.seconds == {"inner": 20.0, "outer": 6.0, "later": 5.0}
    assert sum(told.seconds.values()) == clock.now - 100


def test_a_stage_that_fails_has_its_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(stages, "time", clock)
    told = Stages(Console(file=io.StringIO()))
    with pytest.raises(KeyError), told.stage("outer", "Outer"), told.stage("inner", "Inner"):
        clock.now += 3
        raise KeyError
    assert told.seconds == {"inner": 3.0, "outer": 0.0}
