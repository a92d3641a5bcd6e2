"""Measure power: how many attributes are still `learned` when a part of their labels is wrong?

    python experiments/benchmarks/power.py [--shares 0 0.1 0.2 0.3 0.4 0.5] [--repeats 10]

Of each attribute's known labels so large a share, drawn at random, is turned into its opposite; at 0.5 they
say nothing. Everything after the embedding runs anew. Prints the mean number of attributes with verdict
`learned`, its range over the repeats, mean AUC on the wrong labels, and the attributes `learned` in most
repeats. Wrong labels hurt twice, in training and in judging: `right model` is the number that a model trained
on the right labels would be credited with when the wrong ones judge it.

Measured 2026-11-25, of 23: 21.7 at 10%, 13.8 at 20%, 5.7 at 30% (a right model 11.3), 0.2 at 40%, 0 at 50%.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from relearning import Bench, arguments, flip, open_bench

from aimonk.evaluation.evidence import weigh_evidence
from aimonk.evaluation.held_out import HeldOutScores


def credited(bench: Bench, scores: HeldOutScores, targets: np.ndarray) -> int:
    """How many attributes are `learned` by these scores, judged by these labels."""
    data = bench.data
    found = weigh_evidence(targets, scores.logits, data.attributes, data.groups, scores.folds, resamples=100)
    return len(found.learned)


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    parser.add_argument("--repeats", type=int, default=10)
    given = parser.parse_args()
    bench = open_bench(given)
    truth, names = bench.data.targets, bench.data.attributes
    right = bench.relearn(truth)[0]
    print(f"| flipped | repeats | learned of {len(names)} | range | right model | mean AUC | most often |")
    print("|---:|---:|---:|---:|---:|---:|:---|")
    for share in given.shares:
        repeats = given.repeats if share else 1
        learned: Counter[str] = Counter()
        counts, references, areas = [], [], []
        for repeat in range(repeats):
            generator = np.random.default_rng([given.seed, round(1000 * share), repeat])
            targets = flip(truth, share, generator)
            evidence = bench.relearn(targets)[1]
            learned.update(evidence.learned)
            counts.append(len(evidence.learned))
            references.append(credited(bench, right, targets))
            areas.append(evidence.mean_auc.value)
        often = [name for name in names if learned[name] > repeats / 2]
        listed = ", ".join(often) if len(often) <= 6 else f"{len(often)} attributes"
        print(
            f"| {share:.0%} | {repeats} | {np.mean(counts):.1f} | {min(counts)} to {max(counts)} "
            f"| {np.mean(references):.1f} | {np.mean(areas):.3f} | {listed or 'none'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
