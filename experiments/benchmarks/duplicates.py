"""Measure whether copies of a photo are found, and whether they stay on one side of every split.

    python experiments/benchmarks/duplicates.py [--photos 200] [--seeds 100]

Plants copies of real photos, altered as copies are in practice, and prints the share that the audit puts into
the group of their original, as one picture (`same`) or at least as one photograph (`group`, which is what
splits go by). `merged` counts the photographs that the copies falsely made one. Then, of the data as they
are, over many seeds: photographs that straddle two sets of a split, or the train, validation and test images
of each of 5 folds, and the fewest positives of any attribute in any of these sets.

Measured 2026-11-23: all copies found but those with 2% cut off each side (66% and 76% in the right group),
nothing merged; no photograph straddles any set over 100 seeds, and no set has fewer than 7 positives.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from trials import SHARED

from aimonk.config import Config, SplitConfig
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.split import grouped_split, straddling
from aimonk.evaluation.cross_validation import fold_splits

Alter = Callable[[Image.Image], Image.Image]


def smaller(share: float) -> Alter:
    """Shrink both sides."""
    return lambda image: image.resize((round(share * image.width), round(share * image.height)))


def cropped(image: Image.Image) -> Image.Image:
    """Cut 2% off each side."""
    across, down = round(0.02 * image.width), round(0.02 * image.height)
    return image.crop((across, down, image.width - across, image.height - down))


COPIES: dict[str, tuple[Alter, int]] = {
    "re-encoded, quality 90": (lambda image: image, 90),
    "re-encoded, quality 30": (lambda image: image, 30),
    "half the size": (smaller(0.5), 85),
    "mirrored": (ImageOps.mirror, 85),
    "mirrored, 70% of the size, quality 60": (lambda image: smaller(0.7)(ImageOps.mirror(image)), 60),
    "grey": (ImageOps.grayscale, 85),
    "2% cut off each side": (cropped, 85),
}


def plant(data: Dataset, rows: np.ndarray, alter: Alter, quality: int, folder: Path) -> Dataset:
    """The images with altered copies of these rows, called `copy_N.jpg`; labels play no part."""
    shutil.copytree(data.folder, folder)
    names = [*data.names, *(f"copy_{row}.jpg" for row in rows)]
    for row in rows:
        encoded = io.BytesIO()
        with Image.open(data.paths[row]) as image:
            alter(ImageOps.exif_transpose(image).convert("RGB")).save(encoded, "JPEG", quality=quality)
        (folder / f"copy_{row}.jpg").write_bytes(encoded.getvalue())
    labels = folder / "planted.csv"
    labels.write_text("\n".join(("image,label", *(f"{name},1" for name in names))))
    return read_dataset(folder, labels, Config())


def recall(data: Dataset, rows: np.ndarray, alter: Alter, quality: int) -> tuple[float, float, int]:
    """Shares of the copies found as the same picture and in the same group, and groups merged by them."""
    with tempfile.TemporaryDirectory() as beside:
        planted = plant(data, rows, alter, quality, Path(beside) / "images")
    count = len(data)
    groups = planted.groups
    pictures = [set(group) for group in (*planted.audit.identical, *planted.audit.near_identical)]
    same = [any({data.names[row], f"copy_{row}.jpg"} <= group for group in pictures) for row in rows]
    merged = len(np.unique(data.groups)) - len(np.unique(groups[:count]))
    return float(np.mean(same)), float(np.mean(groups[count:] == groups[rows])), merged


def straddle(data: Dataset, seeds: int) -> tuple[int, int, int]:
    """Straddling groups over all seeds, of the split and of the folds; the fewest positives in a set."""
    torn, torn_folds, fewest = 0, 0, len(data)
    for seed in range(seeds):
        config = SplitConfig(seed=seed)
        split = grouped_split(data.targets, data.groups, config)
        folds = fold_splits(data.targets, data.groups, config, 5)
        torn += straddling(data.groups, *split.parts().values())
        torn_folds += sum(straddling(data.groups, *fold.parts().values()) for fold in folds)
        sets = [rows for each in (split, *folds) for rows in each.parts().values()]
        fewest = min(fewest, *(int((data.targets[rows] == 1).sum(axis=0).min()) for rows in sets))
    return torn, torn_folds, fewest


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=100)
    given = parser.parse_args()
    sets = {name: SHARED / "data" / name / "images" for name in ("aimonk", "clothing")}
    read = {name: read_dataset(folder, None, Config()) for name, folder in sets.items()}
    print("| data | copies | planted | same | group | merged |\n|:---|:---|---:|---:|---:|---:|")
    for name, data in read.items():
        rows = np.random.default_rng(0).choice(len(data), given.photos, replace=False)
        for kind, (alter, quality) in COPIES.items():
            same, group, merged = recall(data, rows, alter, quality)
            print(f"| {name} | {kind} | {len(rows)} | {same:.1%} | {group:.1%} | {merged} |", flush=True)
    print("\n| data | images | photographs | identical | near-identical | retouched | seeds ", end="")
    print("| straddling a split | straddling a fold | fewest positives |")
    print("|:---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, data in read.items():
        found = data.audit
        groups = f"{len(found.identical)} | {len(found.near_identical)} | {len(found.retouched)}"
        counts = f"{len(data)} | {len(np.unique(data.groups))} | {groups}"
        results = " | ".join(map(str, straddle(data, given.seeds)))
        print(f"| {name} | {counts} | {given.seeds} | {results} |")


if __name__ == "__main__":
    main()
