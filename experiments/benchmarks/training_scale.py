"""Measure `aimonk train` on stored features, up to 200,000 images x 40 attributes and 20,000 x 500.

    python experiments/benchmarks/training_scale.py [--sizes 2000x40 20000x40 200000x40 20000x500]

Small random pictures are drawn, of which no two look alike, with labels of which 8% are missing. Vectors for
them, with a direction for each attribute, are put into a feature store under MobileNet@0.25's key, so that no
forward pass is made. Then `aimonk train`, with its default settings of five folds and a report, runs twice in
processes of its own: `first`, which reads every file and builds the table of vectors, and `again`. Prints
seconds by stage, and how often longer the stage took than at the size before with as many attributes (`n log
n` would be 13.0 times from 2,000 to 20,000 images, and 12.3 times to 200,000); the peak of resident memory,
which counts the table's pages in the system's cache; the seconds of all cores together, which hardly depend
on what else the machine does; and the size of the report. Goals: 200,000 x 40 in 300 s and 1,024 MB beyond
the table, 20,000 x 500 in 180 s. `--work` names a folder with room for two tables.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from trials import WEIGHTS, Finished, Place, print_table

from aimonk.features.feature_store import FeatureStore

SIZES = ("2000x40", "20000x40", "200000x40", "20000x500")
FEW = 32
"""Images that are really embedded, which decides the key."""
PART = 4096
"""Rows of a part of the store."""


@dataclass(frozen=True)
class Trained:
    """One training at one size."""

    size: str
    name: str
    """`first` or `again`."""
    finished: Finished
    table: float
    """Size of the table of vectors, MB."""
    report: float
    """Size of the report, MB."""

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage; `start and end` is what is in none."""
        told: dict[str, float] = self.finished.answer["seconds"]
        return {**told, "start and end": self.finished.seconds - sum(told.values())}


def draw_pictures(folder: Path, count: int) -> list[str]:
    """Draw JPEGs of 48 x 48 pixels from noise of 8 x 8, and return their digests."""
    folder.mkdir()
    random = np.random.default_rng(0)
    digests = []
    for number in range(count):
        image = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
        content = io.BytesIO()
        image.resize((48, 48), Image.Resampling.BICUBIC).save(content, "JPEG", quality=80)
        (folder / f"{number:06d}.jpg").write_bytes(content.getvalue())
        digests.append(hashlib.sha256(content.getvalue()).hexdigest())
    return digests


def draw_vectors(store: FeatureStore, digests: list[str], width: int, attributes: int) -> np.ndarray:
    """Store a vector for each image; return the labels that follow from them, `(N, L)`, -1 for unknown."""
    random = np.random.default_rng(1)
    directions = random.normal(size=(width, attributes)).astype(np.float32) / width**0.5
    offsets = random.uniform(0.5, 2.0, attributes)  # of 31% to 2% positives
    labels = []
    for first in range(0, len(digests), PART):
        some = digests[first : first + PART]
        vectors = random.normal(size=(len(some), width)).astype(np.float32)
        scores = vectors @ directions + 0.5 * random.normal(size=(len(some), attributes))
        labels.append(np.where(random.random(scores.shape) < 0.08, -1, scores > offsets).astype(np.int8))
        store.put(some, ["plain"] * len(some), vectors * 3 + 1)
    return np.concatenate(labels)


def write_labels(file: Path, labels: np.ndarray) -> None:
    """Write a CSV in which an unknown label is blank."""
    cell = {1: "1", 0: "0", -1: ""}
    names = [f"attribute_{column:03d}" for column in range(labels.shape[1])]
    rows = (
        ",".join([f"{number:06d}.jpg", *(cell[label] for label in row)])
        for number, row in enumerate(labels.tolist())
    )
    file.write_text("\n".join([",".join(["image", *names]), *rows]) + "\n")


class Bench:
    """A place in which trainings of one size run.

    Args:
        place: with an empty store.
        images: how many.
        attributes: how many.
        weights: of MobileNet@0.25.

    """

    def __init__(self, place: Place, images: int, attributes: int, weights: str) -> None:
        self.place, self.size = place, f"{images:,} x {attributes}"
        self.backbone = ("--backbone", "mobilenet@0.25", "--weights", weights)
        self.data = place.folder / "images"
        digests = draw_pictures(self.data, images)
        few = place.folder / "few"
        few.mkdir()
        for name in [f"{number:06d}.jpg" for number in range(FEW)]:
            (few / name).hardlink_to(self.data / name)
        place.aimonk("embed", "--data", few, *self.backbone)
        (part,) = (place.folder / "store").rglob("*.parquet")
        store = FeatureStore(part.parent)
        width = store.get(digests[:1], ["plain"]).shape[2]
        part.unlink()
        write_labels(place.folder / "labels.csv", draw_vectors(store, digests, width, attributes))
        self.table = 4 * images * width / 2**20

    def train(self, name: str) -> Trained:
        """Train with the default settings."""
        finished = self.place.aimonk("train", "--data", self.data, *self.backbone, "--json")
        answer = finished.answer
        if answer["forward_passes"]:
            raise SystemExit("A training made forward passes although the store was filled.")
        if answer["images"] != int(self.size.split(" x ")[0].replace(",", "")):
            raise SystemExit(f"Only {answer['images']} of {self.size} images were used.")
        (report,) = (self.place.folder / "mlruns").rglob(f"{answer['run_id']}/artifacts/report.html")
        return Trained(self.size, name, finished, self.table, report.stat().st_size / 2**20)


def stage_table(trainings: list[Trained]) -> None:
    """Print seconds by stage, and the growth since the size before with as many attributes."""
    stages = list(dict.fromkeys(stage for trained in trainings for stage in trained.stages))
    rows: list[list[object]] = [[stage] for stage in (*stages, "all")]
    header = ["stage, seconds"]
    before: dict[str, Trained] = {}
    for trained in trainings:
        header += [f"{trained.size}, {trained.name}", "times"]
        attributes = trained.size.split(" x ")[1] + trained.name
        last = before.get(attributes)
        seconds = {**trained.stages, "all": trained.finished.seconds}
        for row, stage in zip(rows, (*stages, "all"), strict=True):
            taken = seconds.get(stage, 0.0)
            earlier = {**last.stages, "all": last.finished.seconds}.get(stage, 0.0) if last else 0.0
            row += [taken, taken / earlier if earlier > 0 else ""]
        before[attributes] = trained
    print_table(header, rows)


def memory_table(trainings: list[Trained]) -> None:
    """Print peaks of memory and sizes of reports."""
    header = [
        "training",
        "seconds",
        "of all cores",
        "peak, MB",
        "table, MB",
        "beyond the table, MB",
        "report, MB",
    ]
    rows = [
        [
            f"{trained.size}, {trained.name}",
            trained.finished.seconds,
            trained.finished.processor,
            trained.finished.peak,
            trained.table,
            trained.finished.peak - trained.table,
            trained.report,
        ]
        for trained in trainings
    ]
    print_table(header, rows)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--weights", default=str(WEIGHTS) if WEIGHTS.exists() else "none")
    parser.add_argument("--work", type=Path, help="default: temporary files")
    given = parser.parse_args()
    trainings = []
    for size in given.sizes:
        images, attributes = map(int, size.split("x"))
        with tempfile.TemporaryDirectory(prefix="aimonk-benchmark-", dir=given.work) as folder:
            bench = Bench(Place(Path(folder)), images, attributes, given.weights)
            trainings += [bench.train("first"), bench.train("again")]
    stage_table(trainings)
    print()
    memory_table(trainings)


if __name__ == "__main__":
    main()
