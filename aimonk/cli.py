"""The command line: parse, call one command, print. Imports nothing heavy at the top."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from .cli_options import (
    AsJson,
    Attributes,
    Backbone,
    Data,
    Experiment,
    Group,
    Ignore,
    ImageColumn,
    Labels,
    Model,
    Recipe,
    Register,
    Set,
    Spark,
    Weights,
    labels_settings,
)
from .errors import AimonkError

if TYPE_CHECKING:
    from .results.presentation import Result

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From photos and incomplete labels to a served model, and a straight answer: did it learn anything?",
)


@app.command()
def train(
    data: Annotated[str, typer.Option(help="Folder of images.")] = "",
    labels: Labels = "",
    image_column: ImageColumn = "",
    attributes: Attributes = [],  # noqa: B006
    ignore: Ignore = [],  # noqa: B006
    group: Group = "",
    config: Recipe = "",
    backbone: Backbone = "",
    weights: Weights = "",
    epochs: Annotated[str, typer.Option(help="Number of epochs (of fine-tuning, where it fine-tunes).")] = "",
    set_: Set = [],  # noqa: B006
    experiment: Experiment = "",
    register: Register = "",
    resume: Annotated[str, typer.Option(metavar="RUN_ID", help="Resume an interrupted run.")] = "",
    demo: Annotated[
        bool, typer.Option("--demo", help="Draw a demo data set when --data is not given.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train, evaluate, log and register a model, and say whether it learned anything."""
    from .commands.train import train

    if epochs and not epochs.isdigit():
        raise typer.BadParameter(f"{epochs!r} is not a whole number.", param_hint="--epochs")
    result = train(
        data or None,
        labels or None,
        config=config or None,
        settings=[*labels_settings(image_column, attributes, ignore, group), *set_],
        backbone=backbone,
        weights=weights,
        epochs=int(epochs) if epochs else None,
        experiment=experiment,
        register=register,
        demo=demo,
        resume=resume,
    )
    _answer(result, as_json)


@app.command()
def sweep(
    data: Data,
    space: Annotated[str, typer.Option(help="What varies: a TOML file, or the built-in `sweep`.")] = "sweep",
    labels: Labels = "",
    image_column: ImageColumn = "",
    attributes: Attributes = [],  # noqa: B006
    ignore: Ignore = [],  # noqa: B006
    group: Group = "",
    config: Recipe = "",
    backbone: Backbone = "",
    weights: Weights = "",
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, earlier calls included.")] = 50,
    set_: Set = [],  # noqa: B006
    experiment: Experiment = "",
    register: Register = "",
    name: Annotated[str, typer.Option(metavar="STUDY", help="Resume the sweep of this name.")] = "",
    blind: Annotated[
        bool,
        typer.Option("--blind", help="Try settings at random, each in all folds."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Search settings by cross-validation, and train, log and register the best ones."""
    from .commands.sweep import sweep

    result = sweep(
        data,
        labels or None,
        space=space,
        trials=trials,
        name=name,
        blind=blind,
        config=config or None,
        settings=[*labels_settings(image_column, attributes, ignore, group), *set_],
        backbone=backbone,
        weights=weights,
        experiment=experiment,
        register=register,
    )
    _answer(result, as_json)


@app.command()
def audit(
    data: Data,
    labels: Labels = "",
    image_column: ImageColumn = "",
    attributes: Attributes = [],  # noqa: B006
    ignore: Ignore = [],  # noqa: B006
    group: Group = "",
    set_: Set = [],  # noqa: B006
    save_labels: Annotated[
        str, typer.Option(metavar="FILE", help="Write the labels as they were understood, as CSV.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with the data, before anything is learned from it."""
    from .commands.audit import audit

    settings = [*labels_settings(image_column, attributes, ignore, group), *set_]
    _answer(audit(data, labels or None, settings=settings, save_labels=save_labels or None), as_json)


@app.command()
def evaluate(
    model: Model,
    data: Data,
    labels: Labels = "",
    image_column: ImageColumn = "",
    attributes: Attributes = [],  # noqa: B006
    ignore: Ignore = [],  # noqa: B006
    group: Group = "",
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Say how well a model does on labelled images."""
    from .commands.evaluate import evaluate

    settings = [*labels_settings(image_column, attributes, ignore, group), *set_]
    _answer(evaluate(model, data, labels or None, settings=settings), as_json)


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    model: Model,
    as_json: AsJson = False,
) -> None:
    """Print each image's attributes, probabilities and verdicts."""
    from .commands.predict import predict

    result = predict(model, images)
    _answer(result, as_json)
    if result.unreadable:
        raise typer.Exit(2)


@app.command()
def score(
    model: Model,
    data: Annotated[
        Path, typer.Option(help="Folder of images, or a Parquet file with a binary column `image`.")
    ],
    out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv to write.")],
    spark: Spark = "",
) -> None:
    """Score many images into one table."""
    from .commands.score import score

    scored = score(model, data, out, spark=spark)
    unreadable = f", {scored.unreadable} of them unreadable" if scored.unreadable else ""
    print(f"{scored.images} images scored to {out}{unreadable}", file=sys.stderr)


@app.command()
def serve(
    model: Model,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
) -> None:
    """Serve a model over HTTP, with limits, metrics and readiness. MLflow can serve it as well."""
    from .commands.serve import serve

    serve(model, host=host, port=port)


@app.command()
def embed(
    data: Data,
    config: Recipe = "",
    backbone: Backbone = "",
    weights: Weights = "",
    set_: Set = [],  # noqa: B006
    spark: Spark = "",
    as_json: AsJson = False,
) -> None:
    """Compute and store the features of every image of a folder, once."""
    from .commands.embed import embed

    result = embed(
        data, config=config or None, settings=set_, backbone=backbone, weights=weights, spark=spark
    )
    _answer(result, as_json)


@app.command("demo-data")
def demo_data(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
    images: Annotated[int, typer.Option(min=40, help="Number of drawings.")] = 400,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal data.")] = 0,
) -> None:
    """Draw a data set with all the flaws of a real one."""
    from .data.demo.draw_demo import draw_demo

    labels = draw_demo(folder, images, seed)
    print(f"Drew {images} images; the labels are {labels}", file=sys.stderr)


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="Registered model.")],
    version: Annotated[str, typer.Option(help="Version to promote; default: the newest.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, if it has learned something and is not worse than the present one."""
    from .commands.promote import promote

    result = promote(name, version or None)
    _answer(result, as_json)
    if not result.decision.promote:
        raise typer.Exit(1)


@app.command()
def recipes(as_json: AsJson = False) -> None:
    """List the built-in settings, and what each one scores and takes."""
    from .commands.recipes import list_recipes

    _answer(list_recipes(), as_json)


def _answer(result: Result, as_json: bool) -> None:
    """Print for people to stdout, or to stderr where a program reads JSON on stdout."""
    from rich.console import Console

    Console(stderr=as_json).print(*result.summary(), sep="\n")
    if as_json:
        print(json.dumps(result.to_json(), allow_nan=False))


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
