"""Options that several commands take, once each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option(help="Folder of images.")]
Labels = Annotated[
    str, typer.Option(help="Labels file; default: labels.txt, else labels.csv, in the folder or beside it.")
]
Model = Annotated[
    str, typer.Option(help="models:/NAME@champion, models:/NAME/VERSION, runs:/ID/model or a folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Set = Annotated[list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one setting.")]
Recipe = Annotated[str, typer.Option("--config", help="A recipe (see `aimonk recipes`) or a TOML file.")]
Backbone = Annotated[str, typer.Option(help="NAME or NAME@WIDTH of a keras.applications model.")]
Weights = Annotated[str, typer.Option(help="imagenet, none (random), or the path of a weights file.")]
Experiment = Annotated[str, typer.Option(help="MLflow experiment.")]
Register = Annotated[str, typer.Option(help="Registered model that the new version joins.")]
Spark = Annotated[str, typer.Option(metavar="MASTER", help="Work on Spark, e.g. at local[4].")]
