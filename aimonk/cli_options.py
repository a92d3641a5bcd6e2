"""What several commands share: their options, once each, and how a result is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from .errors import UndeliveredError

if TYPE_CHECKING:
    from rich.console import RenderableType

Data = Annotated[Path, typer.Option(help="Folder of images.")]
Model = Annotated[
    str, typer.Option(help="models:/NAME@champion, models:/NAME/VERSION, runs:/ID/model or a folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Set = Annotated[list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one setting.")]
Recipe = Annotated[str, typer.Option("--config", help="A recipe (see `aimonk recipes`) or a TOML file.")]
Backbone = Annotated[
    str,
    typer.Option(help="A Keras application such as mobilenet@0.25, an ONNX file or folder, or FILE.keras."),
]
Weights = Annotated[str, typer.Option(help="imagenet, none (random), or the path of a weights file.")]
Experiment = Annotated[str, typer.Option(help="MLflow experiment.")]
Register = Annotated[str, typer.Option(help="Registered model that the new version joins.")]
Spark = Annotated[str, typer.Option(metavar="MASTER", help="Work on Spark, e.g. at local[4].")]


class Shown(Protocol):
    """What a command returns."""

    def summary(self) -> Sequence[RenderableType]:
        """Return what people see, in order."""

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""


def show(result: Shown, as_json: bool) -> None:
    """Print for people to stdout, or to stderr where a program reads JSON on stdout."""
    show_text(result.summary(), as_json)
    if as_json:
        show_json(result)


def show_text(parts: Sequence[RenderableType], as_json: bool) -> None:
    """Print for people, where `show` does."""
    from rich.console import Console

    Console(stderr=as_json).print(*parts, sep="\n")


def show_json(result: Shown) -> None:
    """Print one line for a program."""
    print(json.dumps(result.to_json(), allow_nan=False))


@contextmanager
def evidence_shown(as_json: bool) -> Iterator[None]:
    """Print what a training found out even if it cannot be stored; then let the error pass."""
    try:
        yield
    except UndeliveredError as error:
        show(error.result, as_json)
        raise
