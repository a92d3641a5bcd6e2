"""Measure what ships: each recipe trains on four fifths of the photos, and its model is scored on the rest.

    python experiments/benchmarks/kept_back.py [--recipes default finetune] [--backbones small large]

A grouped fifth of `data/clothing` is kept back. `aimonk train` gets a labels file of the others, does with it
what it always does, and `aimonk evaluate` scores the version that it registered on the fifth, which no
training, threshold or calibration has seen. So it is the figure of a user who trains on all there is and
gets new photos. `small` is MobileNet@0.25, `large` EfficientNet-Lite0: the ONNX file where a recipe keeps
its backbone frozen, the Keras file where it trains it. Times are those of the whole command, on empty stores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from trials import SHARED, WEIGHTS, new_place, print_table

from aimonk.config import Config, SplitConfig
from aimonk.data.dataset import read_dataset
from aimonk.data.split import grouped_split

DATA = SHARED / "data" / "clothing" / "images"
LABELS = SHARED / "data" / "clothing" / "labels.csv"
LARGE = SHARED / "weights" / "efficientnet-lite0"
RECIPES = ("default", "finetune")
BACKBONES = {"small": "mobilenet@0.25", "large": "efficientnet-lite0"}


def write_parts(folder: Path) -> tuple[Path, Path]:
    """Labels files of four fifths of the photos and of the fifth that is kept back, no photo in both."""
    dataset = read_dataset(DATA, LABELS, Config())
    apart = SplitConfig(test=0.2, validation=0.0, seed=0)
    split = grouped_split(dataset.targets, dataset.groups, apart)
    table = pd.read_csv(LABELS, dtype=str, keep_default_na=False)
    files = []
    for name, rows in (("rest", split.train), ("kept", split.test)):
        part = table[table.iloc[:, 0].isin([dataset.names[row] for row in rows])]
        assert len(part) == len(rows)
        files.append(folder / f"{name}.csv")
        part.to_csv(files[-1], index=False)
    return files[0], files[1]


def backbone(size: str, recipe: str) -> tuple[object, ...]:
    """The options that name it."""
    if size == "small":
        return ("--backbone", "mobilenet@0.25", "--weights", WEIGHTS)
    return ("--backbone", LARGE / "backbone.keras" if recipe == "finetune" else LARGE)


def main() -> None:
    """Print a row per recipe and backbone."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=RECIPES)
    parser.add_argument("--backbones", nargs="+", choices=tuple(BACKBONES), default=tuple(BACKBONES))
    parser.add_argument("--set", action="append", default=[], help="section.key=value for every training")
    given = parser.parse_args()
    settings = [word for setting in given.set for word in ("--set", setting)]
    rows: list[list[object]] = []
    for recipe in given.recipes:
        for size in given.backbones:
            with new_place() as place:
                rest, kept = write_parts(place.folder)
                data = ("--data", DATA, "--labels")
                asked = (*data, rest, "--config", recipe, *backbone(size, recipe), *settings)
                trained = place.aimonk("train", *asked, "--json")
                model = trained.answer["model_uri"]
                scored = place.aimonk("evaluate", *data, kept, "--model", model, "--json").answer
            own = trained.answer["mAP"]
            interval = f"{scored['mAP_low']:.3f} to {scored['mAP_high']:.3f}"
            minutes = trained.seconds / 60
            rows.append([f"{recipe}, {BACKBONES[size]}", own, scored["mAP"], interval, minutes])
    header = ["recipe, backbone", "mAP it reports", "mAP on the kept fifth", "95%", "minutes"]
    print_table(header, rows)


if __name__ == "__main__":
    main()
