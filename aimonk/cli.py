"""The command line. Imports nothing heavy at the top."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from . import cli_labels, cli_learning, cli_models
from .errors import AimonkError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From photos and incomplete labels to a served model, and a straight answer: did it learn anything?",
)

LEARNING = "Look at data, and learn from it"
LABELS = "Improve labels"
MODELS = "Use a model"

COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    LEARNING: (
        cli_learning.train,
        cli_learning.audit,
        cli_learning.sweep,
        cli_learning.embed,
        cli_learning.recipes,
        cli_learning.backbones,
        cli_learning.doctor,
        cli_learning.demo_data,
    ),
    LABELS: (cli_labels.review,),
    MODELS: (
        cli_models.evaluate,
        cli_models.predict,
        cli_models.score,
        cli_models.promote,
        cli_models.export,
    ),
}

for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(command.__name__.replace("_", "-"), rich_help_panel=panel)(command)


def main() -> NoReturn:
    """Run the command line. An error that a user can mend is one sentence and exit code 2."""
    from rich.console import Console

    from .progress import show_on

    # TensorFlow and MLflow make a million objects that stay. Looking for garbage among them as often as
    # Python does takes 0.7 s while they are imported, and 1.5 s more when the process ends.
    gc.set_threshold(100_000, 50, 100)
    show_on(Console(stderr=True))
    try:
        app()
    except AimonkError as error:
        message = str(error)
    except OSError as error:
        message = f"{error.strerror or error}: {error.filename or 'no file named'}"
    finally:
        gc.freeze()
    print(f"Error: {message}", file=sys.stderr)
    sys.exit(2)
