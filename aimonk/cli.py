"""The command line. Imports nothing heavy at the top."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from . import cli_labeling, cli_learning, cli_models
from .errors import AimonkError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From photos and incomplete labels to a served model, and a straight answer: did it learn anything?",
)

LEARNING = "Look at data, and learn from it"
LABELING = "Complete and correct the labels"
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
    LABELING: (cli_labeling.fill, cli_labeling.suggest, cli_labeling.review),
    MODELS: (
        cli_models.evaluate,
        cli_models.predict,
        cli_models.explain,
        cli_models.score,
        cli_models.serve,
        cli_models.promote,
        cli_models.export,
    ),
}

for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(command.__name__.replace("_", "-"), rich_help_panel=panel)(command)


@app.callback()
def prepare(context: typer.Context) -> None:
    """Prepare the screen and the temporary files of a command; `aimonk --help` needs neither."""
    from rich.console import Console

    from .progress import show_on
    from .scratch import scratch_folder

    show_on(Console(stderr=True))
    context.with_resource(scratch_folder())


def main() -> NoReturn:
    """Run the command line. An error that a user can mend is one sentence and exit code 2."""
    # TensorFlow and MLflow make a million objects that stay. Looking for garbage among them as often as
    # Python does takes 0.7 s while they are imported, and 1.5 s more when the process ends.
    gc.set_threshold(100_000, 50, 100)
    code = 2
    try:
        app()
    except SystemExit as ended:  # a usage error, Ctrl-C, SIGTERM, or the end of the command
        code, lines = _exit_code(ended), _advice(ended)
        if code > 128:
            lines = [" ".join(["Interrupted.", *lines])]
    except AimonkError as error:
        lines = [" ".join([f"Error: {error}", *_advice(error)])]
    except OSError as error:
        message = f"Error: {error.strerror or error}: {error.filename or 'no file named'}."
        lines = [" ".join([message, *_advice(error)])]
    finally:
        gc.freeze()
    print(*lines, sep="\n", end="\n" if lines else "", file=sys.stderr)
    sys.exit(code)


def _exit_code(ended: SystemExit) -> int:
    return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _advice(error: BaseException | None) -> list[str]:
    """Return what was noted on an error, or on those that it hides: how to resume the run."""
    if error is None:
        return []
    return list(getattr(error, "__notes__", ())) or _advice(error.__cause__ or error.__context__)
