"""Measure how long a sweep over head settings takes, against one training on the same stored features.

    python experiments/benchmarks/sweep_time.py [--data DIR] [--labels FILE] [--trials 50] [--repeats 5]

By default clothing attributes on a frozen MobileNet@0.25 and the package's own settings. Features are stored
beforehand, so that neither command makes a forward pass; both run in a new process, in turn, in one tracking
store. Prints medians and the ratio, whose goal is at most 6 for 50 trials.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from trials import SHARED, WEIGHTS, Finished, arguments, in_turn, new_place, print_table, spread


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.set_defaults(data=SHARED / "data" / "clothing" / "images")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--backbone", default="mobilenet@0.25")
    parser.add_argument("--weights", default=str(WEIGHTS) if WEIGHTS.exists() else "none")
    parser.add_argument("--space", default="sweep")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    given = parser.parse_args()
    asked: list[object] = ["--data", given.data.resolve()]
    asked += ["--labels", given.labels.resolve()] if given.labels else []
    asked += ["--backbone", given.backbone, "--weights", given.weights]
    asked += [part for assignment in given.set for part in ("--set", assignment)]
    searched = ("--space", given.space.resolve(), "--trials", given.trials)
    names = (f"repeat-{number}" for number in count())  # one of the same name would go on with it
    with new_place() as place:
        place.aimonk("train", *asked)  # stores the features and makes the tracking store
        contestants: dict[str, Callable[[], Finished]] = {
            "one training": partial(place.aimonk, "train", *asked),
            f"sweep of {given.trials}": lambda: place.aimonk(
                "sweep", *asked, *searched, "--name", next(names)
            ),
        }
        results = in_turn(contestants, given.repeats)
    seconds = {name: [one.seconds for one in finished] for name, finished in results.items()}
    first = median(seconds["one training"])
    rows = [
        [name, float(median(taken)), spread(taken), median(taken) / first] for name, taken in seconds.items()
    ]
    print_table(["command", "seconds, median", "range", "times one training"], rows)
    print("\nThe goal for 50 trials is at most 6 times.")


if __name__ == "__main__":
    main()
