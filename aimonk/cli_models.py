"""The commands that use a trained model: parse, call one command, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .cli_label_options import LabelsGiven, with_label_options
from .cli_options import (
    AsJson,
    Data,
    Model,
    Set,
    Spark,
    show,
)


@with_label_options
def evaluate(
    labels: LabelsGiven,
    model: Model,
    data: Data,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Say how well a model does on labeled images."""
    from .commands.evaluate import evaluate

    settings = [*labels.settings, *set_]
    show(evaluate(model, data, labels.file, settings=settings), as_json)


def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    model: Model,
    as_json: AsJson = False,
) -> None:
    """Print each image's attributes, probabilities and verdicts."""
    from .commands.predict import predict

    result = predict(model, images)
    show(result, as_json)
    if result.unreadable:
        raise typer.Exit(2)


def explain(
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    model: Model,
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Folder for the pictures and explanations.json.")
    ] = "",
    attribute: Annotated[
        list[str], typer.Option(help="Attribute to draw; default: those present that have evidence.")
    ] = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Show where in an image the evidence for each attribute lies."""
    from .commands.explain import explain

    result = explain(model, images, out or None, attributes=attribute)
    show(result, as_json)
    if result.unreadable:
        raise typer.Exit(2)


def score(
    model: Model,
    data: Annotated[str, typer.Option(help="Folder of images, or a Parquet file; also a URI such as s3://.")],
    out: Annotated[str, typer.Option(help="FILE.parquet or FILE.csv to write; also a URI.")],
    image: Annotated[str, typer.Option(metavar="COLUMN", help="Column of images or paths.")] = "image",
    name: Annotated[str, typer.Option(metavar="COLUMN", help="Column that names the rows.")] = "",
    format_: Annotated[
        Literal["long", "wide"],
        typer.Option("--format", help="Lists, or a column for each attribute."),
    ] = "long",
    shards: Annotated[int, typer.Option(min=0, help="Write a folder of so many files.")] = 0,
    max_unreadable: Annotated[
        float, typer.Option(min=0, max=1, help="Exit with 1 if a larger share cannot be read; with 1, never.")
    ] = 1.0,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Resume an interrupted scoring of the same images.")
    ] = True,
    spark: Spark = "",
    as_json: AsJson = False,
) -> None:
    """Score many images into one table."""
    from .commands.score import score

    result = score(
        model,
        data,
        out,
        image=image,
        name=name,
        format=format_,
        shards=shards,
        max_unreadable=max_unreadable,
        resume=resume,
        spark=spark,
    )
    show(result, as_json)
    if result.failed:
        raise typer.Exit(1)


def serve(
    model: Model,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
) -> None:
    """Answer requests over HTTP, with limits, metrics and readiness. MLflow can serve a model as well."""
    from .commands.serve import serve

    serve(model, host=host, port=port)


def promote(
    name: Annotated[str, typer.Argument(help="Registered model.")],
    version: Annotated[str, typer.Option(help="Version to promote; default: the newest.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, if it has learned something and is not worse than the present one."""
    from .commands.promote import promote

    result = promote(name, version or None)
    show(result, as_json)
    if not result.decision.promote:
        raise typer.Exit(1)


def export(
    model: Model,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="openvino|keras",
            help="openvino of any model; keras of one that is neither fine-tuned nor on an ONNX backbone.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File or folder to write.")],
) -> None:
    """Write a model for another engine."""
    from .commands.export import export

    written = export(model, format_, out)  # type: ignore[arg-type]  # another format is refused there
    print(f"Written to {written}")
