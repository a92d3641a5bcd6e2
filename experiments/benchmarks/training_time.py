"""Measure a training from start to end, every time in a new process, against the seed's recipe in Keras.

    python experiments/benchmarks/training_time.py [--data DIR] [--repeats 5] [--epochs 5]

Frozen ResNet50 with random weights, the seed's split and settings, in turn:

- `seed`: `seed_keras.py`, which trains and does nothing else
- `empty store`: `aimonk train`, no feature, graph or tracking store there yet
- `filled store`: the same again, with a new tracking store
- `again`: the same once more, in the tracking store that is there now

Prints medians, the ratios to the seed, and the seconds by stage that aimonk itself tells; `start and end` is
what is in no stage, Python's start and most imports above all. A filled store must need no forward pass.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import median

from trials import Finished, Place, arguments, in_turn, new_place, print_table, spread

SEED = Path(__file__).with_name("seed_keras.py")
GOALS = {"seed": "", "empty store": "6, aim 10", "filled store": "12, aim 25", "again": "12, aim 25"}


class Contest:
    """The contestants; each of aimonk's goes on where the one before it stopped.

    Args:
        place: where they run.
        data: the folder of images, with its labels in it or beside it.
        epochs: of training.

    """

    def __init__(self, place: Place, data: Path, epochs: int) -> None:
        self.place, self.data, self.epochs = place, data.resolve(), epochs

    def seed(self) -> Finished:
        """The seed's recipe."""
        return self.place.python(SEED, "--data", self.data, "--epochs", self.epochs)

    def empty(self) -> Finished:
        """Nothing is there."""
        with new_place() as place:
            return self._train(place)

    def filled(self) -> Finished:
        """The features are there, runs are not."""
        if not any((self.place.folder / "store").rglob("*.parquet")):
            self._train(self.place)  # fills it, outside the measurement
        self.place.forget_runs()
        return self._without_passes()

    def again(self) -> Finished:
        """Features and runs are there."""
        return self._without_passes()

    def _without_passes(self) -> Finished:
        finished = self._train(self.place)
        if finished.answer["forward_passes"]:
            raise SystemExit("A training made forward passes although the store was filled.")
        return finished

    def _train(self, place: Place) -> Finished:
        config = "notebook"
        asked = ("--config", config, "--data", self.data, "--weights", "none", "--epochs", self.epochs)
        return place.aimonk("train", *asked, "--json")


def stage_table(results: dict[str, list[Finished]]) -> None:
    """Medians of the seconds that each of aimonk's contestants spends in each stage."""
    rows: dict[str, list[object]] = {}
    own = {name: finished for name, finished in results.items() if name != "seed"}
    for finished in own.values():
        told: dict[str, list[float]] = defaultdict(list)
        for one in finished:
            stages = one.answer["seconds"]
            for stage, seconds in {**stages, "start and end": one.seconds - sum(stages.values())}.items():
                told[stage].append(seconds)
        for stage, seconds_of in told.items():
            rows.setdefault(stage, []).append(float(median(seconds_of)))
    print_table(["stage, seconds", *own], [[stage, *seconds] for stage, seconds in rows.items()])


def main() -> None:
    """Print both tables."""
    parser = arguments(__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    with new_place() as place:
        contest = Contest(place, given.data, given.epochs)
        contestants = (contest.seed, contest.empty, contest.filled, contest.again)
        results = in_turn(dict(zip(GOALS, contestants, strict=True)), given.repeats)
    seconds = {name: [one.seconds for one in finished] for name, finished in results.items()}
    seed = median(seconds["seed"])
    rows = [
        [name, float(median(taken)), spread(taken), seed / median(taken), goal]
        for (name, taken), goal in zip(seconds.items(), GOALS.values(), strict=True)
    ]
    print_table(["training", "seconds, median", "range", "times faster than the seed", "goal"], rows)
    print()
    stage_table(results)


if __name__ == "__main__":
    main()
