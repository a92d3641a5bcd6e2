"""What `aimonk doctor` found on this machine: one line per check, and the command that fixes a problem."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .presentation import Result

if TYPE_CHECKING:
    from rich.console import RenderableType


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    """Something optional is missing: only the feature that is named needs it."""
    PROBLEM = "problem"


_MARKS = {Status.OK: ("✓", "green"), Status.NOTE: ("·", "yellow"), Status.PROBLEM: ("✗", "red")}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    """What is there, or what is wrong, in one phrase."""
    fix: str = ""
    """The one command that fixes it; empty if there is nothing to fix."""


@dataclass(frozen=True)
class DoctorResult(Result):
    """The result of every check, in the order in which they are printed.

    Examples:
        >>> result = DoctorResult((Check("java", Status.NOTE, "not found", "apt-get install default-jre"),))
        >>> result.healthy, result.to_json()["checks"][0]["status"]
        (True, 'note')
    """

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether no check found a problem. Notes do not count."""
        return all(check.status is not Status.PROBLEM for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return a plain object for `--json`."""
        checks = [
            {"name": c.name, "status": str(c.status), "found": c.found, "fix": c.fix or None}
            for c in self.checks
        ]
        return {"healthy": self.healthy, "checks": checks}

    def summary(self) -> list[RenderableType]:
        """Return a table of the checks, and a sentence that counts them."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for check in self.checks:
            mark, style = _MARKS[check.status]
            found = Text(check.found)
            if check.fix:
                found.append("\n$ ", style="dim").append(check.fix, style="bold")
            table.add_row(Text(mark, style=style), Text(check.name), found)
        return [table, Text(), Text(self._sentence(), style="bold")]

    def _sentence(self) -> str:
        counts = Counter(check.status for check in self.checks)
        problems, notes = counts[Status.PROBLEM], counts[Status.NOTE]
        if problems:
            return f"{problems} of {len(self.checks)} checks found a problem; run the commands above."
        optional = f" {notes} optional parts are missing." if notes > 1 else ""
        optional = " 1 optional part is missing." if notes == 1 else optional
        return f"Everything that aimonk needs is here.{optional}"
