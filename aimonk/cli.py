"""The command line: parse, build a config, call one function, print. Imports nothing heavy at the top."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from .errors import AimonkError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from .config import Config
    from .progress import Stages

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help='From images and labels with holes to a served model, and a straight answer to "did it learn?".',
)

Data = Annotated[Path, typer.Option(help="Folder of images.")]
Labels = Annotated[
    str, typer.Option(help="Labels file; default: labels.txt, else labels.csv, in the folder or beside it.")
]
Model = Annotated[
    str, typer.Option(help="models:/NAME@champion, models:/NAME/VERSION, runs:/ID/model or a folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Set = Annotated[list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one setting.")]
ConfigFile = Annotated[str, typer.Option(help="Experiment file, such as experiments/default.toml.")]
Backbone = Annotated[str, typer.Option(help="NAME or NAME@WIDTH of a keras.applications model.")]
Weights = Annotated[str, typer.Option(help="imagenet, none (random), or the path of a weights file.")]
Experiment = Annotated[str, typer.Option(help="MLflow experiment.")]
Spark = Annotated[str, typer.Option(metavar="MASTER", help="Work on Spark, e.g. at local[4].")]
Register = Annotated[str, typer.Option(help="Registered model that the new version joins.")]


@app.command()
def train(
    data: Annotated[str, typer.Option(help="Folder of images.")] = "",
    labels: Labels = "",
    config: ConfigFile = "",
    backbone: Backbone = "",
    weights: Weights = "",
    epochs: Annotated[str, typer.Option(help="Number of epochs (of fine-tuning, where it fine-tunes).")] = "",
    set_: Set = [],  # noqa: B006
    experiment: Experiment = "",
    register: Register = "",
    resume: Annotated[str, typer.Option(metavar="RUN_ID", help="Go on with an interrupted run.")] = "",
    demo: Annotated[
        bool, typer.Option("--demo", help="Draw a demo data set when --data is not given.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train, evaluate, log and register a model, and say whether it learned anything."""
    from .commands.train import Request, resumed, train

    if resume:
        outcome = train(resumed(resume), _stages())
        return _answer(outcome.summary(), outcome.to_json(), as_json)
    if not (data or demo):
        raise typer.BadParameter("give a folder of images, or --demo.", param_hint="--data")
    settings = _config(
        config,
        set_,
        features__backbone=backbone,
        features__weights=weights,
        tracking__experiment=experiment,
        tracking__register=register,
        epochs=epochs,
    )
    request = Request(
        Path(data), Path(labels) if labels else None, settings, not data, config or "default.toml"
    )
    outcome = train(request, _stages())
    _answer(outcome.summary(), outcome.to_json(), as_json)


@app.command()
def sweep(
    space: Annotated[Path, typer.Option(help="What varies, such as experiments/sweep.toml.")],
    data: Data,
    labels: Labels = "",
    config: ConfigFile = "",
    backbone: Backbone = "",
    weights: Weights = "",
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, those of an earlier call too.")] = 50,
    set_: Set = [],  # noqa: B006
    experiment: Experiment = "",
    register: Register = "",
    name: Annotated[str, typer.Option(metavar="STUDY", help="A sweep of this name is gone on with.")] = "",
    blind: Annotated[
        bool, typer.Option("--blind", help="Try settings at random, each in all folds; see the README.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Search settings by cross-validation, and train, log and register the best ones."""
    from .commands.sweep import SweepRequest, sweep

    settings = _config(
        config,
        set_,
        features__backbone=backbone,
        features__weights=weights,
        tracking__experiment=experiment,
        tracking__register=register,
    )
    request = SweepRequest(data, Path(labels) if labels else None, settings, space, trials, name, blind)
    swept = sweep(request, _stages())
    _answer(swept.summary(), swept.to_json(), as_json)


@app.command()
def audit(data: Data, labels: Labels = "", set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Say what is wrong with the data, before anything is learned from it."""
    from .commands.train import audit

    found = audit(data, Path(labels) if labels else None, _config("", set_), _stages())
    from .reporting.terminal import audit_table

    _answer([audit_table(found)], found.to_json(), as_json)


@app.command()
def evaluate(model: Model, data: Data, labels: Labels = "", set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Say how well a model does on labelled images."""
    from .commands.evaluate import evaluate

    outcome = evaluate(model, data, Path(labels) if labels else None, _config("", set_), _stages())
    _answer(outcome.summary(), outcome.to_json(), as_json)


@app.command()
def predict(images: Annotated[list[Path], typer.Argument(help="Image files.")], model: Model) -> None:
    """Print each image's attributes and probabilities."""
    from .commands.evaluate import predict

    failed = False
    for image, reply in zip(images, predict(model, images), strict=True):
        if reply.error is not None:
            failed = True
            _stderr().print(f"{image}: {reply.error}", style="red", highlight=False, markup=False)
            continue
        print(f"Predicted Attributes: {list(reply.predicted_attributes)}")
        print(f"Probabilities: {[round(p, 4) for p in reply.probabilities]}")
    if failed:
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
    from .commands.evaluate import score

    scored = score(model, data, out, _stages(), spark)
    unreadable = f", {scored.unreadable} of them unreadable" if scored.unreadable else ""
    _stderr().print(f"{scored.images} images scored to {out}{unreadable}", highlight=False)


@app.command()
def embed(
    data: Data,
    config: ConfigFile = "",
    backbone: Backbone = "",
    weights: Weights = "",
    set_: Set = [],  # noqa: B006
    spark: Spark = "",
) -> None:
    """Compute and store the features of every image of a folder, once."""
    from .commands.train import embed

    settings = _config(config, set_, features__backbone=backbone, features__weights=weights)
    images, passes = embed(data, settings, _stages(), spark)
    _stderr().print(f"{images} images have features; {passes} forward passes were made")


@app.command("demo-data")
def demo_data(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
    images: Annotated[int, typer.Option(min=40, help="Number of drawings.")] = 400,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal data.")] = 0,
) -> None:
    """Draw a data set with all the flaws of a real one."""
    from .data.demo.draw_demo import draw_demo

    labels = draw_demo(folder, images, seed)
    _stderr().print(f"Drew {images} images; the labels are {labels}", highlight=False)


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="Registered model.")],
    version: Annotated[str, typer.Option(help="Version to promote; default: the newest.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, if it has learned something and is not worse than the present one."""
    from .commands.evaluate import promote

    promotion = promote(name, version or None)
    _answer(promotion.summary(), promotion.to_json(), as_json)
    if not promotion.decision.promote:
        raise typer.Exit(1)


def _config(path: str, assignments: list[str], epochs: str = "", **options: str) -> Config:
    """Settings of an experiment file, the named options and `--set`, in this order."""
    from .config import load_config

    named = [f"{key.replace('__', '.')}={json.dumps(value)}" for key, value in options.items() if value]
    file = Path(path) if path else None
    if epochs:
        mode = load_config(file, [*named, *assignments]).training.mode
        named.append(f"{'finetune' if mode == 'finetune' else 'training'}.epochs={epochs}")
    return load_config(file, [*named, *assignments])


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _stages() -> Stages:
    from .progress import Stages

    return Stages(_stderr())


def _answer(summary: list[RenderableType], answer: dict[str, Any], as_json: bool) -> None:
    """People's part to stdout, or to stderr where a program reads stdout."""
    from rich.console import Console

    Console(stderr=as_json).print(*summary, sep="\n")
    if as_json:
        print(json.dumps(answer, allow_nan=False))


def main() -> NoReturn:
    """Run the command line; an error that a user can mend is one sentence and exit code 2."""
    # TensorFlow and MLflow make a million objects that stay. To look for garbage among them as often as
    # Python does takes 0.7 s while they are imported, and 1.5 s more when the process ends.
    gc.set_threshold(100_000, 50, 100)
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
