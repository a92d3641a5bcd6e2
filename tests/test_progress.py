from __future__ import annotations

import io
import logging
import re
import time

import pytest
from rich.console import Console

from aimonk import progress
from aimonk.progress import recorded, show_on, stage


class Clock:
    """Moves when a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


@pytest.mark.parametrize("terminal", [True, False])
def test_seconds_add_up_whatever_is_inside_what(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(progress, "_console", Console(file=io.StringIO(), force_terminal=terminal))
    with recorded() as record:
        for _ in range(2):
            with stage("outer", "Outer"):
                clock.now += 1
                with stage("inner", "Inner") as advance:
                    advance(1, 2)
                    clock.now += 10
                clock.now += 2
        with stage("later", "Later"):
            clock.now += 5
    assert record.seconds == {"inner": 20.0, "outer": 6.0, "later": 5.0}
    assert sum(record.seconds.values()) == clock.now - 100


def test_rate_and_time_left_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=screen, force_terminal=True, width=200))
    with stage("score", "Scoring") as advance:
        for done in range(6):
            advance(done, 5)
            time.sleep(0.02)
    last = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue().rsplit("Scoring", 1)[1])
    assert re.search(r"5/5 \d+(\.\d)?/s 0:00:00 0:00:00", last)


def test_a_stage_that_fails_has_its_time_too(clock: Clock) -> None:
    with recorded() as record, pytest.raises(KeyError), stage("outer", "Outer"), stage("inner", "Inner"):
        clock.now += 3
        raise KeyError
    assert record.seconds == {"inner": 3.0, "outer": 0.0}


def test_a_stage_needs_no_command_around_it() -> None:
    with stage("alone", "Alone") as advance:
        advance(1, 1)


def test_warnings_are_kept_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "_console", None)
    show_on(Console(file=screen, width=200))
    logger = logging.getLogger("aimonk.features.store")
    with recorded() as record:
        logger.warning("The part %s is damaged", "[x].parquet")
        logger.info("not a warning")
    logger.warning("after the command")
    assert record.warnings == ["The part [x].parquet is damaged"]
    assert screen.getvalue() == "Warning: The part [x].parquet is damaged\n"


def test_a_long_stage_says_something_where_no_terminal_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=file, width=80))
    monkeypatch.setattr(progress, "FIRST_LINE", 0.05)
    with stage("read", "Reading") as report:
        report(1200, 9000)
        deadline = time.perf_counter() + 5
        while not file.getvalue() and time.perf_counter() < deadline:
            time.sleep(0.01)
    assert file.getvalue().splitlines() == ["Reading: 1,200 of 9,000, 0 s", "Reading: ended, 0 s"]
    with stage("short", "Short"):
        pass
    assert "Short" not in file.getvalue()


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 1), (60.0, 0)])
def test_a_long_stage_gives_its_memory_back(
    monkeypatch: pytest.MonkeyPatch, seconds: float, times: int
) -> None:
    given: list[str] = []
    monkeypatch.setattr(progress, "_LONG", seconds)
    monkeypatch.setattr(progress, "give_back_memory", lambda: given.append("back"))
    with stage("work", "At work"):
        assert not given
    assert len(given) == times
