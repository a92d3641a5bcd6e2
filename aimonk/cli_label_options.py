"""The options that say how labels are read, given to a command in one word."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(frozen=True)
class LabelsGiven:
    """What the options say.

    Attributes:
        file: The labels file; None for the one in the folder of images or beside it.
        settings: `section.key=value` assignments.
    """

    file: str | None
    settings: tuple[str, ...]


def with_label_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose parameter `labels: LabelsGiven` stands for the five options of `labels_given`.

    Typer makes an option of each parameter in a signature, so the signature is what changes. The options
    follow the one for the images, `data`.
    """
    own = inspect.signature(command, eval_str=True).parameters
    options = inspect.signature(labels_given, eval_str=True).parameters

    def run(**given: object) -> None:
        values = {name: given.pop(name) for name in options}
        command(labels=labels_given(**values), **given)  # type: ignore[arg-type]

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, one in own.items()
        if name != "labels"
        for parameter in (one, *(options.values() if name == "data" else ()))
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    return run


def labels_given(
    labels: Annotated[
        str,
        typer.Option(help="Labels file of any known format; by default the one in the folder or beside it."),
    ] = "",
    image_column: Annotated[str, typer.Option(metavar="COLUMN", help="Column that names the image.")] = "",
    attributes: Annotated[
        list[str],
        typer.Option(metavar="NAMES", help="Columns or tags to learn: names, globs, or several with commas."),
    ] = [],  # noqa: B006
    ignore: Annotated[list[str], typer.Option(metavar="NAMES", help="Columns to leave out, likewise.")] = [],  # noqa: B006
    group: Annotated[
        str,
        typer.Option(
            metavar="COLUMN|REGEX",
            help="Images that are not independent (patient, product, session): a column, or a regular "
            "expression with one group over the file name.",
        ),
    ] = "",
) -> LabelsGiven:
    """Return what the options say.

    >>> labels_given("l.csv", "file", ["red", "b*"])
    LabelsGiven(file='l.csv', settings=('labels.image="file"', 'labels.attributes=["red", "b*"]'))
    """
    given = {"image": image_column, "attributes": attributes, "ignore": ignore, "group": group}
    settings = tuple(f"labels.{key}={_toml(value)}" for key, value in given.items() if value)
    return LabelsGiven(labels or None, settings)


def _toml(value: str | Sequence[str]) -> str:
    """JSON's strings and lists are TOML's, as long as no character is written as two surrogates."""
    return json.dumps(value, ensure_ascii=False)
