"""The stages of a long command: how far each has come, on the screen, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

ProgressCallback = Callable[[int, int], None]
"""Called with (done, total) while a stage works."""


class Stages:
    """Shows one progress line per stage on the console and keeps `seconds[stage]`, wall clock.

    The time of a stage within another one counts for the inner one alone, so that all add up.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []
        self._within: list[float] = []
        """Of the stages under way, the outer ones first: seconds spent in stages within them."""

    def warn(self, sentence: str) -> None:
        """Say what the user should know, and keep it for the report."""
        self.warnings.append(sentence)
        self.console.print(f"Warning: {sentence}", style="yellow", markup=False, highlight=False)

    @contextmanager
    def stage(self, name: str, description: str) -> Iterator[ProgressCallback]:
        """Time a stage. A stage entered twice adds up. The line stays on the screen when it is done."""
        self._within.append(0.0)
        started = time.perf_counter()
        columns = (
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            task = progress.add_task(description, total=None)

            def advance(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            try:
                yield advance
            finally:
                taken = time.perf_counter() - started
                self.seconds[name] = self.seconds.get(name, 0.0) + taken - self._within.pop()
                if self._within:
                    self._within[-1] += taken
            total = progress.tasks[0].total or 1
            progress.update(task, completed=total, total=total)
