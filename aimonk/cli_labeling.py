"""The commands that complete a labels table: parse, call one command, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .cli_options import (
    AsJson,
    Attributes,
    Data,
    Group,
    Ignore,
    ImageColumn,
    Labels,
    Model,
    Set,
    labels_settings,
    show_json,
    show_text,
)


def fill(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write, in the format of the labels.")],
    labels: Labels = "",
    image_column: ImageColumn = "",
    attributes: Attributes = [],  # noqa: B006
    ignore: Ignore = [],  # noqa: B006
    group: Group = "",
    precision: Annotated[float, typer.Option(help="Share of what is filled that must be right.")] = 0.95,
    miss: Annotated[float, typer.Option(help="Largest share of a class filled as the other.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Confidence in both, for each attribute.")] = 0.95,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Fill the missing labels that held-out evidence vouches for."""
    from .commands.fill import fill

    result = fill(
        model,
        data,
        labels or None,
        out=out,
        precision=precision,
        miss=miss,
        confidence=confidence,
        settings=[*labels_settings(image_column, attributes, ignore, group), *set_],
        announce=lambda found: show_text(found.summary(), as_json),
    )
    show_text(result.files(), as_json)
    if as_json:
        show_json(result)
