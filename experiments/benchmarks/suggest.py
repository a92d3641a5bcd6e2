"""Measure which way of choosing images to label teaches most: the curve of mean AP against random order.

    python experiments/benchmarks/suggest.py [--draws 20] [--strategies ...] [--cache DIR]

A fifth of the groups, the same in every draw, is kept for scoring. Of the others 200 images at random are
labeled first, then each strategy adds 100 at a time to 1,000; a head is fitted on the stored features after
each step. Prints the mean over the steps after the first of mean AP on the fifth (the area under the
curve), the mean difference to random order from the same 200 images with its 95% interval over the draws
(Student's t, paired), and mean AP at 1,000. `--cache` keeps each curve, so that an interrupted measurement
resumes.

Measured 2026-11-25: see experiments/README.md.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from relearning import Bench, arguments, open_bench
from scipy.special import expit
from scipy.stats import t as student

from aimonk.config import SplitConfig
from aimonk.data.labels import MISSING
from aimonk.data.split import grouped_split
from aimonk.evaluation.metrics import average_precision
from aimonk.evaluation.suggestions import STRATEGIES, Pool, suggest_rows
from aimonk.training.linear_probe.fit_probe import fit_probe

FIRST, STEP, LAST, COMMITTEE = 200, 100, 1000, 5


def head_logits(bench: Bench, features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """`(N, L)` logits of every image by a head that is trained on these, for all epochs."""
    config = replace(bench.config.training, patience=0)
    rows = np.arange(0)
    head, _ = fit_probe(bench.learner.vectors, bench.data.targets, train, rows, config)  # type: ignore[attr-defined]
    return head.logits(features).astype(np.float64)


def curve(
    bench: Bench, features: np.ndarray, parts: tuple[np.ndarray, np.ndarray], strategy: str, seed: int
) -> list[float]:
    """Mean AP on the kept fifth after each step."""
    generator = np.random.default_rng([seed, 1])
    rest, test = parts
    targets = bench.data.targets
    labeled = generator.permutation(rest)[:FIRST]
    standard = (features - features[rest].mean(axis=0)) / np.maximum(features[rest].std(axis=0), 1e-6)
    scores = []
    while True:
        logits = head_logits(bench, features, labeled)
        scores.append(float(np.nanmean(average_precision(targets[test], logits[test]))))
        if len(labeled) >= LAST:
            return scores
        left = np.setdiff1d(rest, labeled)
        committee = None
        if strategy == "disagreement":
            folds = generator.permutation(len(labeled)) % COMMITTEE
            heads = [head_logits(bench, features, labeled[folds != fold]) for fold in range(COMMITTEE)]
            committee = expit(np.array([head[left] for head in heads]))
        pool = Pool(
            expit(logits[left]),
            targets[left] != MISSING,  # what labeling the image would tell
            np.sum(targets[labeled] == 1, axis=0),
            standard[left],
            standard[labeled],
            committee,
        )
        chosen = left[suggest_rows(pool, STEP, strategy, seed * 1000 + len(labeled))]
        labeled = np.concatenate([labeled, chosen])


def main() -> None:
    """Print a table with a row per strategy."""
    parser = arguments(__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--cache", type=Path, default=None)
    given = parser.parse_args()
    bench = open_bench(given)
    bench.learner.prepare(bench.data)
    features = bench.learner.vectors.take(np.arange(len(bench.data)))  # type: ignore[attr-defined]
    split = grouped_split(
        bench.data.targets, bench.data.groups, SplitConfig(test=0.2, validation=0.0, seed=0)
    )
    curves: dict[str, np.ndarray] = {}
    for strategy in dict.fromkeys(["random", *given.strategies]):
        found = []
        for draw in range(given.draws):
            file = given.cache / f"{strategy}-{draw}.json" if given.cache else None
            if file and file.is_file():
                found.append(json.loads(file.read_text()))
                continue
            found.append(curve(bench, features, (split.train, split.test), strategy, draw))
            if file:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(found[-1]))
        curves[strategy] = np.array(found)
    reach = float(student.ppf(0.975, given.draws - 1)) / given.draws**0.5
    print(f"| strategy | mean AP, {FIRST + STEP} to {LAST} | less random, 95% | at {LAST} |")
    print("|:---|---:|---:|---:|")
    for strategy, values in curves.items():
        area = values[:, 1:].mean(axis=1)
        gain = area - curves["random"][:, 1:].mean(axis=1)
        error = reach * gain.std(ddof=1)
        told = f"{gain.mean():+.4f} ({gain.mean() - error:+.4f} to {gain.mean() + error:+.4f})"
        told = told if strategy != "random" else ""
        print(f"| {strategy} | {area.mean():.4f} | {told} | {values[:, -1].mean():.4f} |")


if __name__ == "__main__":
    main()
