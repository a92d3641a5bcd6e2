"""The commands that complete and correct labels: parse, call one command, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .cli_label_options import LabelsGiven, with_label_options
from .cli_options import (
    AsJson,
    Data,
    Model,
    Set,
    show,
    show_json,
    show_text,
)


@with_label_options
def fill(
    labels: LabelsGiven,
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write, in the format of the labels.")],
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
        labels.file,
        out=out,
        precision=precision,
        miss=miss,
        confidence=confidence,
        settings=[*labels.settings, *set_],
        announce=lambda found: show_text(found.summary(), as_json),
    )
    show_text(result.files(), as_json)
    if as_json:
        show_json(result)


@with_label_options
def suggest(
    labels: LabelsGiven,
    model: Model,
    data: Data,
    n: Annotated[int, typer.Option("--n", min=1, help="How many images.")] = 100,
    out: Annotated[
        str, typer.Option(help="CSV file to write, or FILE.json: answered tasks for Label Studio.")
    ] = "",
    strategy: Annotated[str, typer.Option(help="How they are chosen; the default was measured best.")] = "",
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Name the images whose labels would teach most, labeled in part or not at all."""
    from .commands.suggest import suggest
    from .evaluation.suggestions import DEFAULT

    result = suggest(
        model,
        data,
        labels.file,
        n=n,
        out=out or None,
        strategy=strategy or DEFAULT,
        settings=[*labels.settings, *set_],
    )
    show(result, as_json)


@with_label_options
def review(
    labels: LabelsGiven,
    data: Data,
    run: Annotated[
        str, typer.Option(metavar="RUN_ID", help="Training run whose scores say what is doubtful.")
    ],
    set_: Set = [],  # noqa: B006
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 chooses one.")] = 0,
    out: Annotated[str, typer.Option(metavar="FILE", help="Write the corrected labels, as CSV.")] = "",
    reviewer: Annotated[str, typer.Option(metavar="NAME", help="Who answers; default: the user.")] = "",
    suggestions: Annotated[
        str, typer.Option(metavar="FILE", help="CSV with columns image and attribute: cells to label next.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="Largest number of cells of a queue.")] = 500,
    control_share: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of a queue that is a random sample of known labels.")
    ] = 0.2,
    open_: Annotated[
        bool, typer.Option("--open", help="Show label and model before the answer too.")
    ] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="Sum up the answers so far, without a page.")
    ] = False,
    against: Annotated[
        str,
        typer.Option(metavar="RUN_ID", help="Run trained on the corrected labels, to compare with."),
    ] = "",
    reviewer_error: Annotated[
        float, typer.Option(min=0, max=0.4, help="Share of answers that are wrong, as far as you know.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Settle doubtful labels on a local page, and write the corrected table."""
    from .commands.review import review

    result = review(
        data,
        labels.file,
        run=run,
        settings=[*labels.settings, *set_],
        port=port,
        out=out or None,
        reviewer=reviewer,
        suggestions=suggestions or None,
        limit=limit,
        control_share=control_share,
        blind=not open_,
        page=not no_page,
        against=against,
        reviewer_error=reviewer_error,
    )
    show(result, as_json)
