"""The commands that look at data and learn from it: parse, call one command, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .cli_label_options import LabelsGiven, with_label_options
from .cli_options import (
    AsJson,
    Backbone,
    Data,
    Experiment,
    Recipe,
    Register,
    Set,
    Spark,
    Weights,
    evidence_shown,
    show,
)


@with_label_options
def train(
    labels: LabelsGiven,
    data: Annotated[str, typer.Option(help="Folder of images.")] = "",
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

    if epochs and not epochs.removeprefix("-").isdecimal():
        raise typer.BadParameter(f"{epochs!r} is not a whole number.", param_hint="--epochs")
    with evidence_shown(as_json):
        result = train(
            data or None,
            labels.file,
            config=config or None,
            settings=[*labels.settings, *set_],
            backbone=backbone,
            weights=weights,
            epochs=int(epochs) if epochs else None,
            experiment=experiment,
            register=register,
            demo=demo,
            resume=resume,
        )
    show(result, as_json)


@with_label_options
def sweep(
    labels: LabelsGiven,
    data: Data,
    space: Annotated[str, typer.Option(help="What varies: a TOML file, or the built-in `sweep`.")] = "sweep",
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

    with evidence_shown(as_json):
        result = sweep(
            data,
            labels.file,
            space=space,
            trials=trials,
            name=name,
            blind=blind,
            config=config or None,
            settings=[*labels.settings, *set_],
            backbone=backbone,
            weights=weights,
            experiment=experiment,
            register=register,
        )
    show(result, as_json)


@with_label_options
def audit(
    labels: LabelsGiven,
    data: Data,
    set_: Set = [],  # noqa: B006
    save_labels: Annotated[
        str, typer.Option(metavar="FILE", help="Write the labels as they were understood, as CSV.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with the data, before anything is learned from it."""
    from .commands.audit import audit

    settings = [*labels.settings, *set_]
    show(audit(data, labels.file, settings=settings, save_labels=save_labels or None), as_json)


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
    show(result, as_json)


def demo_data(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
    images: Annotated[int, typer.Option(min=40, help="Number of drawings.")] = 400,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal data.")] = 0,
) -> None:
    """Draw a data set with all the flaws of a real one."""
    from .data.demo.draw_demo import draw_demo

    labels = draw_demo(folder, images, seed)
    print(f"Drew {images} images; the labels are {labels}", file=sys.stderr)


def recipes(as_json: AsJson = False) -> None:
    """List the built-in settings, and what each one scores and takes."""
    from .commands.recipes import list_recipes

    show(list_recipes(), as_json)


@with_label_options
def backbones(
    labels: LabelsGiven,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Networks to describe: files, or names; by default all of Keras'."),
    ] = None,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure images per second on this machine.")
    ] = False,
    compare: Annotated[
        str,
        typer.Option(metavar="A,B,...", help="Measure these on --data; A=FILE names a weights file too."),
    ] = "",
    data: Annotated[str, typer.Option(help="Folder of images.")] = "",
    config: Recipe = "",
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """List the backbones that can be named, or compare some of them on labeled images."""
    if not compare:
        from .commands.backbones import list_backbones

        if data or labels.file or labels.settings:
            raise typer.BadParameter(
                "name the backbones to measure; --data and the options of labels are for that.",
                param_hint="--compare",
            )
        show(list_backbones(files or (), speed=speed, config=config or None, settings=set_), as_json)
        return
    from .commands.compare_backbones import compare_backbones

    if not data or files or speed:
        raise typer.BadParameter("takes --data, and neither files nor --speed.", param_hint="--compare")
    settings = [*labels.settings, *set_]
    named = [name.strip() for name in compare.split(",") if name.strip()]
    show(compare_backbones(named, data, labels.file, config=config or None, settings=settings), as_json)


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, reachable and fast here, and what mends a problem."""
    from .commands.doctor import doctor

    result = doctor()
    show(result, as_json)
    if not result.healthy:
        raise typer.Exit(1)
