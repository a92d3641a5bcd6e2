"""The stages of a command: a line on the screen for each, how long it took, and the warnings on the way.

Code that works for long opens a `stage` wherever it is and needs no object for it, as it needs none to log.
A command collects what its stages and warnings were with `recorded`. Warnings are those of the standard
`logging`, on loggers below `aimonk`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .runtime.heap import give_back_memory

ProgressCallback = Callable[[int, int], None]
"""Called with (done, total) while a stage works."""

FIRST_LINE, NEXT_LINE = 10.0, 60.0
"""Seconds after which a stage says that it is at work, where no terminal shows it; then the next ones."""

_LONG = 2.0
"""Seconds from which on a stage has its memory tidied up, which takes some milliseconds."""

LOGGER = logging.getLogger("aimonk")


@dataclass
class Record:
    """What has happened so far in one command."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds by stage. A stage inside another one counts for itself only, so all add up."""
    warnings: list[str] = field(default_factory=list)
    """In the order in which they were logged."""
    _inner: list[float] = field(default_factory=list)
    """For each open stage, outermost first: the seconds spent in stages inside it."""


_console: Console | None = None
_record: ContextVar[Record | None] = ContextVar("aimonk_record", default=None)


def show_on(console: Console) -> None:
    """Show progress and warnings on this console from now on.

    Without it, as when aimonk is imported as a library, progress is shown where stderr is a terminal, and
    warnings go wherever `logging` sends them.
    """
    global _console
    _console = console


def tell(*lines: str) -> None:
    """Show lines where progress is shown: what a user should know, but need not be warned of."""
    console = _console or Console(stderr=True)
    if _console is not None or console.is_terminal:
        for line in lines:
            console.print(line, markup=False, highlight=False)


@contextmanager
def recorded() -> Iterator[Record]:
    """Collect the seconds of all stages and the warnings inside.

    >>> with recorded() as record:
    ...     with stage("read", "Reading"):
    ...         pass
    >>> list(record.seconds)
    ['read']
    """
    record = Record()
    handler = _Collector(record)
    token = _record.set(record)
    LOGGER.addHandler(handler)
    try:
        yield record
    finally:
        LOGGER.removeHandler(handler)
        _record.reset(token)


@contextmanager
def stage(name: str, description: str) -> Iterator[ProgressCallback]:
    """Show a progress line and time what is inside. A stage that is entered twice adds up.

    What a long one has freed is given back to the system, so that stages do not add up in memory.
    """
    record = _record.get() or Record()
    record._inner.append(0.0)
    started = time.perf_counter()
    console = _console or Console(stderr=True)
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    piped = _console is not None and not console.is_terminal
    with (
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        _heartbeat(console, description) if piped else nullcontext(_silent) as tell_now_and_then,
    ):
        task = progress.add_task(description, total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)
            tell_now_and_then(done, total)

        try:
            yield report
        finally:
            taken = time.perf_counter() - started
            record.seconds[name] = record.seconds.get(name, 0.0) + taken - record._inner.pop()
            if record._inner:
                record._inner[-1] += taken
            if taken > _LONG:
                give_back_memory()
        total = progress.tasks[0].total or 1
        progress.update(task, completed=total, total=total)


def _silent(_done: int, _total: int) -> None:
    pass


@contextmanager
def _heartbeat(console: Console, description: str) -> Iterator[ProgressCallback]:
    """Print a line now and then while a stage works for long, for a log that nobody sees moving."""
    started, ended, state = time.perf_counter(), threading.Event(), [0, 0]

    def told(what: str) -> None:
        seconds = time.perf_counter() - started
        console.print(f"{description}: {what}, {seconds:.0f} s", markup=False, highlight=False)

    def beat() -> None:
        pause, said = FIRST_LINE, False
        while not ended.wait(pause):
            pause, said = NEXT_LINE, True
            told(f"{state[0]:,} of {state[1]:,}" if state[1] else "at work")
        if said:
            told("ended")

    def report(done: int, total: int) -> None:
        state[:] = done, total

    thread = threading.Thread(target=beat, name=f"say {description}", daemon=True)
    thread.start()
    try:
        yield report
    finally:
        ended.set()
        thread.join()


class _Rate(ProgressColumn):
    """What is done per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s")


class _Collector(logging.Handler):
    """Keeps warnings for the command's result; prints them where a console was named."""

    def __init__(self, record: Record) -> None:
        super().__init__(logging.WARNING)
        self.record = record

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one warning."""
        message = record.getMessage()
        self.record.warnings.append(message)
        console = _console or Console(stderr=True)
        if _console is not None or console.is_terminal:
            console.print(f"Warning: {message}", style="yellow", markup=False, highlight=False)
