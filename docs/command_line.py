"""Writes the reference of the command line from the Typer app: `python docs/command_line.py`."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import click
import typer

from aimonk.cli import app

PAGE = Path(__file__).parent / "reference" / "command_line.md"


def render() -> str:
    """Describe every command as Markdown: what it does, its usage, its arguments and options."""
    parts = ["# Command line", "`aimonk COMMAND --help` prints the same."]
    for name, command in commands().items():
        parts += _describe(name, command)
    return "\n\n".join(parts) + "\n"


def commands() -> dict[str, click.Command]:
    """Every command by its name, as click sees it."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def _describe(name: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=f"aimonk {name}")
    usage = " ".join([f"aimonk {name}", *command.collect_usage_pieces(context)])
    rows = [row for parameter in command.params if (row := _row(parameter, context))]
    table = "\n".join(["| | |", "|---|---|", *rows])
    return [f"## aimonk {name}", command.help or "", f"```text\n{usage}\n```", table if rows else ""]


def _row(parameter: click.Parameter, context: click.Context) -> str:
    record = parameter.get_help_record(context)
    if record is None:
        return ""
    name, words = (" ".join(text.split()).replace("|", "\\|") for text in record)
    return f"| `{name}` | {html.escape(words)} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
