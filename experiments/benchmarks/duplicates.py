"""Measure whether copies of a photo are found, and whether they stay on one side of every split.

    python experiments/benchmarks/duplicates.py [--photos 200] [--seeds 100]
    python experiments/benchmarks/duplicates.py --hashes 200000 [--crowd 0.5]

The first form plants copies of real photos, altered as copies are in practice. It prints the share that the
audit puts into the group of their original, as one picture (`same`) or at least as one photograph (`group`,
which is what splits go by). `merged` counts the photographs that the copies falsely made one. The photos of a
fixed camera are among the data. Then, of the data as they are, over many seeds: photographs that straddle two
sets of a split, or the train, validation and test images of each of 5 folds, and the fewest positives of any
attribute in any of these sets.

The second form measures time and memory of the search, on synthetic thumbnails of which a share shows one
scene. The results and their date are in experiments/README.md.
"""

from __future__ import annotations

import argparse
import io
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from trials import SHARED

from aimonk.config import Config, DataConfig, SplitConfig
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.duplicates import near_pairs
from aimonk.data.image_index import ImageFacts, scan
from aimonk.data.label_audit import Audit, audit
from aimonk.data.labels import LabelTable
from aimonk.data.perceptual_hash import SIDE
from aimonk.data.photo_likeness import hashes_without_border
from aimonk.data.scenes import separate_scenes
from aimonk.data.split import grouped_split, straddling
from aimonk.evaluation.cross_validation import fold_splits

Alter = Callable[[Image.Image], Image.Image]

CACHE = Path(tempfile.gettempdir()) / "aimonk-duplicates"
"""What files show, so that each original is decoded once."""


def smaller(share: float) -> Alter:
    """Shrink both sides."""
    return lambda image: image.resize((round(share * image.width), round(share * image.height)))


def cut(left: float, top: float, right: float, bottom: float) -> Alter:
    """Cut these shares of the sides off."""

    def alter(image: Image.Image) -> Image.Image:
        width, height = image.size
        across = round(left * width), round((1 - right) * width)
        down = round(top * height), round((1 - bottom) * height)
        return image.crop((across[0], down[0], across[1], down[1]))

    return alter


COPIES: dict[str, tuple[Alter, int]] = {
    "re-encoded, quality 90": (lambda image: image, 90),
    "re-encoded, quality 30": (lambda image: image, 30),
    "half the size": (smaller(0.5), 85),
    "mirrored": (ImageOps.mirror, 85),
    "mirrored, 70% of the size, quality 60": (lambda image: smaller(0.7)(ImageOps.mirror(image)), 60),
    "gray": (ImageOps.grayscale, 85),
    "2% cut off each side": (cut(0.02, 0.02, 0.02, 0.02), 85),
    "5% cut off each side": (cut(0.05, 0.05, 0.05, 0.05), 85),
    "4% cut off the left side": (cut(0.04, 0, 0, 0), 85),
    "5% cut off the lower side, mirrored": (lambda image: ImageOps.mirror(cut(0, 0, 0, 0.05)(image)), 85),
}


def plant(data: Dataset, rows: np.ndarray, alter: Alter, quality: int, beside: Path) -> Audit:
    """Audit the images with altered copies of these rows, called `copy_N.jpg`, which have their labels."""
    folder = beside / "images"
    folder.mkdir()
    for name, path in zip(data.names, data.paths, strict=True):
        shutil.copy(path, folder / name)
    names = [*data.names, *(f"copy_{row}.jpg" for row in rows)]
    for row in rows:
        encoded = io.BytesIO()
        with Image.open(data.paths[row]) as image:
            alter(ImageOps.exif_transpose(image).convert("RGB")).save(encoded, "JPEG", quality=quality)
        (folder / f"copy_{row}.jpg").write_bytes(encoded.getvalue())
    targets = np.concatenate([data.targets, data.targets[rows]])
    table = LabelTable(beside / "planted.csv", tuple(names), data.attributes, targets)
    return audit(table, scan(folder, names, CACHE), DataConfig().near_duplicates)


def recall(data: Dataset, rows: np.ndarray, alter: Alter, quality: int) -> tuple[float, float, int]:
    """Shares of the copies found as the same picture and in the same group, and groups merged by them."""
    with tempfile.TemporaryDirectory() as beside:
        planted = plant(data, rows, alter, quality, Path(beside))
    count = len(data)
    groups = planted.groups
    pictures = [set(group) for group in (*planted.identical, *planted.near_identical)]
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


def thumbnails(count: int, crowd: float) -> np.ndarray:
    """Random patterns with the spectrum of photos, `(count, SIDE, SIDE) uint8`; a share shows one scene.

    Amplitudes fall with the frequency to the power of 1.2, about as those of natural images do (Field 1987).
    Each second photo of the scene has a dark spot.
    """
    draw = np.random.default_rng(0)
    gray = np.empty((count, SIDE, SIDE), np.uint8)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)) + 0.02
    for start in range(0, count, 5000):
        shape = (min(5000, count - start), *frequency.shape)
        waves = (draw.normal(size=shape) + 1j * draw.normal(size=shape)) / frequency**1.2
        pixels = np.fft.irfft2(waves, axes=(1, 2))
        gray[start : start + 5000] = np.clip(
            128 + 45 * pixels / pixels.std(axis=(1, 2), keepdims=True), 0, 255
        )
    scene = gray[0].astype(float)
    for row in range(int(crowd * count)):
        photo = scene * draw.uniform(0.9, 1.1) + draw.normal(0, 2, scene.shape)
        if row % 2:
            down, across = draw.integers(0, SIDE - 4, 2)
            photo[down : down + 4, across : across + 4] -= 60
        gray[row] = np.clip(photo, 0, 255)
    return gray


def search(count: int, crowd: float) -> None:
    """Print time and peak memory of the search for pairs and scenes."""
    gray = thumbnails(count, crowd)
    hashes = zip(
        hashes_without_border(gray, 0).tolist(),
        hashes_without_border(gray[:, :, ::-1], 0).tolist(),
        strict=True,
    )
    facts = [
        ImageFacts(str(row), Path(), str(row), 1, "JPEG", 1, 1, *each, None, gray[row].tobytes())
        for row, each in enumerate(hashes)
    ]
    del gray
    targets = np.random.default_rng(1).integers(0, 2, (count, 3)).astype(np.float32)
    start = time.perf_counter()
    pairs = near_pairs(facts, DataConfig().near_duplicates)
    middle = time.perf_counter()
    _, scenes = separate_scenes(pairs, facts, targets)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print("| images | in one scene | pairs, s | scenes, s | scenes | peak, MiB |")
    print("|---:|---:|---:|---:|---:|---:|")
    times = f"{middle - start:.1f} | {end - middle:.1f}"
    print(f"| {count} | {crowd:.0%} | {times} | {len(scenes)} | {peak:.0f} |")


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--hashes", type=int, default=0)
    parser.add_argument("--crowd", type=float, default=0.0)
    given = parser.parse_args()
    if given.hashes:
        search(given.hashes, given.crowd)
        return
    case = SHARED / "cases" / "70-fixed-camera"
    sets: dict[str, tuple[Path, Path | None]]
    sets = {name: (SHARED / "data" / name / "images", None) for name in ("aimonk", "clothing")}
    sets["fixed camera"] = (case / "photos", case / "labels.csv")
    read = {name: read_dataset(folder, labels, Config(), CACHE) for name, (folder, labels) in sets.items()}
    print("| data | copies | planted | same | group | merged |\n|:---|:---|---:|---:|---:|---:|")
    for name, data in read.items():
        rows = np.random.default_rng(0).choice(len(data), min(given.photos, len(data)), replace=False)
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
