"""Images a second of one large table through a loaded MLflow model, against `aimonk score` of the same files.

    python experiments/benchmarks/pyfunc_rate.py MODEL [--images 1500] [--repeats 5] [--data DIR]

MODEL is the folder of an MLflow model. `predict` gets all images in one table, `score` the files, in turn.
The growth of memory is the largest resident size after the first `predict` of all images over that after one
of a tenth of them, both tables being there. The latency is that of a table of one median photo.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import mlflow
import pandas as pd
from hostile_images import resident
from trials import SHARED, arguments, copies, in_turn, print_table

from aimonk.runtime.package_digests import check_digests
from aimonk.runtime.predictor import Predictor
from aimonk.serving.batch_scoring import score

ONE = 100
"""Predictions of one photo, for the latency."""


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=int, default=1500)
    parser.set_defaults(data=SHARED / "data" / "clothing" / "images")
    given = parser.parse_args()
    package = next(given.model.glob("artifacts/*/attributes.json")).parent
    with tempfile.TemporaryDirectory() as folder, Predictor(package, throughput=True) as predictor:
        files = copies(given.data, Path(folder) / "images", given.images)
        table = pd.DataFrame({"image": [path.read_bytes() for path in sorted(files.iterdir())]})
        photo = table.iloc[[table["image"].map(len).argsort()[len(table) // 2]]]
        loaded = mlflow.pyfunc.load_model(str(given.model))
        one = float(median([timed(lambda: loaded.predict(photo)) for _ in range(ONE)][ONE // 10 :]))
        loaded.predict(table[: len(table) // 10])
        before = resident()
        loaded.predict(table)
        growth = resident() - before
        contestants: dict[str, Callable[[], float]] = {
            "predict": lambda: timed(lambda: loaded.predict(table)),
            "score": lambda: timed(lambda: score(predictor, files, Path(folder) / "scores.parquet")),
        }
        contestants["score"]()
        taken = in_turn(contestants, given.repeats)
    predict, scored = (len(table) / float(median(taken[name])) for name in ("predict", "score"))
    check, load = timed(lambda: check_digests(package)), timed(lambda: Predictor(package))
    what = f"{len(table):,} images in one table, per s"
    rows: list[list[object]] = [
        [what, predict, scored, f"{predict / scored:.2f} times", "at least 0.95"],
        ["memory of all images above that of a tenth, MB", growth, "", "", "bounded"],
        ["one photo of median size, ms", 1000 * one, "", "", ""],
        ["check of digests, s, against loading", check, load, f"{check / load:.2f} times", ""],
    ]
    print_table(["what", "predict", "score", "result", "goal"], rows)


if __name__ == "__main__":
    main()
