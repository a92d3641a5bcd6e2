"""Measure whether memory stays flat and time grows linearly with the number of images.

    python experiments/benchmarks/memory.py [--data DIR] [--sizes 1000 5000 20000] [--repeats 3]

Copies of the images with bytes of their own are embedded into an empty feature store (`aimonk embed`) and
scored into a Parquet table (`aimonk score`), by MobileNet@0.25, each time in a new process whose peak of
resident memory is the operating system's own figure. Prints medians; `growth` is the peak over that of the
smallest number of images, `ms per further image` the time beyond that of the row above. The backbone's graph
is in the store beforehand, so that TensorFlow's memory does not hide what grows.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from statistics import median

import numpy as np
from trials import WEIGHTS, Finished, Place, arguments, copies, in_turn, new_place, print_table

FEWEST = 200
"""Images the scored model is trained on."""


def draw(sources: Path, folder: Path, count: int) -> Path:
    """A folder of images, and labels for them beside it."""
    images = copies(sources, folder / "images", count)
    rows = (f"{name} {row % 2} {row // 2 % 2}" for row, name in enumerate(sorted(os.listdir(images))))
    (folder / "labels.txt").write_text("\n".join(rows) + "\n")
    return images


class Bench:
    """A place with a model, and the graph of its backbone."""

    def __init__(self, place: Place, sources: Path, weights: str) -> None:
        self.place = place
        self.backbone = ("--backbone", "mobilenet@0.25", "--weights", weights)
        few = draw(sources, place.folder / "few", FEWEST)
        config = "notebook"
        trained = place.aimonk("train", "--config", config, "--data", few, *self.backbone, "--json")
        self.model = trained.answer["model_uri"]

    def embed(self, images: Path) -> Finished:
        """Into a store that knows none of these images."""
        for part in (self.place.folder / "store").rglob("*.parquet"):
            part.unlink()
        shutil.rmtree(self.place.folder / "store" / "images", ignore_errors=True)
        config = "notebook"
        return self.place.aimonk("embed", "--config", config, "--data", images, *self.backbone)

    def score(self, images: Path) -> Finished:
        """Into a table."""
        out = self.place.folder / "scores.parquet"
        return self.place.aimonk("score", "--model", self.model, "--data", images, "--out", out)


def growth(work: str, sizes: list[int], results: dict[str, list[Finished]]) -> list[list[object]]:
    """Rows of the table."""
    peaks = [float(median(one.peak for one in results[f"{work} {size}"])) for size in sizes]
    seconds = [float(median(one.seconds for one in results[f"{work} {size}"])) for size in sizes]
    steps = [""] + [
        f"{1000 * taken / more:.2f}" for taken, more in zip(np.diff(seconds), np.diff(sizes), strict=True)
    ]
    grown = [f"{peak / peaks[0] - 1:+.1%}" for peak in peaks]
    return [[work, *row] for row in zip(sizes, peaks, grown, seconds, steps, strict=True)]


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000, 20_000])
    parser.add_argument("--weights", default=str(WEIGHTS) if WEIGHTS.exists() else "none")
    given = parser.parse_args()
    with new_place() as place:
        bench = Bench(place, given.data, given.weights)
        folders = {size: draw(given.data, place.folder / f"{size}", size) for size in given.sizes}
        contestants = {
            f"{name} {size}": lambda work=work, images=images: work(images)
            for name, work in (("embed", bench.embed), ("score", bench.score))
            for size, images in folders.items()
        }
        results = in_turn(contestants, given.repeats)
    rows = [row for work in ("embed", "score") for row in growth(work, given.sizes, results)]
    header = ("command", "images", "peak, MB", "growth", "seconds", "ms per further image")
    print_table(header, rows)
    print("\nThe goal is a growth of at most 10%.")


if __name__ == "__main__":
    main()
