"""Measure whether a sweep flatters what it reports where there is nothing to learn.

    python experiments/benchmarks/sweep_null.py [--images 300] [--trials 16] [--repeats 24]

The labels of some images of clothing are dealt to other images at random, a new sweep is made each time, and
the mean AUC over attributes of what it reports is compared with 0.5. `reported` is what `aimonk sweep`
reports; `untouched` are the settings as they stood, which nothing chose; `picked on test` is what a careless
sweep would report: the trial that scores best on the very images. Each is a mean over the repeats with its
standard error.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from relearning import Bench, arguments, open_bench
from trials import print_table

from aimonk.commands.sweep import reported
from aimonk.data.dataset import Dataset
from aimonk.evaluation.cross_validation import fold_splits
from aimonk.evaluation.folds import fold_rankings
from aimonk.evaluation.held_out import HeldOutScores
from aimonk.sweeping.search import GENERATION, search
from aimonk.sweeping.selection import fold_winners, score_table
from aimonk.sweeping.space import Space, read_space, with_settings
from aimonk.sweeping.study import open_study
from aimonk.sweeping.trials import Trial

SPACE = "sweep"


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=24)
    parser.set_defaults(seed=1)
    given = parser.parse_args()
    bench = open_bench(given)
    space = read_space(SPACE, bench.config)
    generator = np.random.default_rng(given.seed)
    chosen = np.sort(generator.choice(len(bench.data), min(given.images, len(bench.data)), replace=False))
    found: dict[str, list[list[float]]] = {}
    for _ in range(given.repeats):
        data = dealt(bench.data, chosen, generator)
        for blind in (False, True):
            aucs = found.setdefault("blind" if blind else "sampler and pruner", [])
            aucs.append(one_sweep(bench, data, space, given.trials, blind))
    rows = []
    for how, values in found.items():
        table = np.array(values)
        error = table.std(axis=0, ddof=1) / np.sqrt(len(table))
        cells = [f"{mean:.4f} ± {spread:.4f}" for mean, spread in zip(table.mean(axis=0), error, strict=True)]
        rows.append([how, *cells])
    print_table(["trials", "reported", "untouched", "picked on test"], rows)


def dealt(data: Dataset, rows: np.ndarray, generator: np.random.Generator) -> Dataset:
    """Some of the images, each with the labels of another one; copies keep their groups."""
    return dataclasses.replace(
        data,
        names=tuple(data.names[row] for row in rows),
        paths=tuple(data.paths[row] for row in rows),
        digests=tuple(data.digests[row] for row in rows),
        targets=data.targets[generator.permutation(rows)],
        groups=data.groups[rows],
    )


def one_sweep(bench: Bench, data: Dataset, space: Space, trials: int, blind: bool) -> list[float]:
    """Mean AUC of what is reported, of the settings as they stood, and of the trial best on test images."""
    config = bench.config
    bench.learner.prepare(data)
    splits = fold_splits(data.targets, data.groups, config.split, config.folds)
    with tempfile.TemporaryDirectory() as place:
        with open_study(Path(place), "null", "null", space, config.training.seed, blind) as study:
            search(
                study,
                lambda settings: bench.learner.reconfigured(with_settings(config, settings)),
                data.targets,
                splits,
                trials,
                space.starting(config),
                GENERATION,
                lambda trial: None,
                lambda done, total: None,
            )
        over = study.trials

    def auc(winners: list[Trial]) -> float:
        return mean_auc(reported(winners, splits, data, config)[0], data.targets)

    alone = [[trial] * len(splits) for trial in over if not trial.pruned]
    winners = fold_winners(score_table([trial.scores for trial in over], len(splits)))
    return [auc([over[row] for row in winners]), auc(alone[0]), max(map(auc, alone))]


def mean_auc(scores: HeldOutScores, targets: np.ndarray) -> float:
    """Over attributes, as the evidence has it."""
    once = np.ones((1, len(targets)))
    rankings = fold_rankings(targets, scores.logits, scores.folds)
    return float(np.nanmean([ranking.both(once)[1][0] for ranking in rankings]))


if __name__ == "__main__":
    main()
