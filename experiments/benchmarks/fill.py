"""Measure whether filled labels keep their promise: hide known labels, fill, and look.

    python experiments/benchmarks/fill.py [--draws 100] [--precision 0.9 0.95 0.99] [--positives 0.2]
    [--cache DIR]

Of all known labels 20% are hidden at random, five folds are fitted on the others as always, and `aimonk
fill`'s rule fills what it can vouch for. The hidden labels then say whether the promise holds: precision of
what was filled as present and as absent, and the share of either class that was filled as the other. It may
be broken on the hidden cells of one attribute by chance alone, because the promise is of the cells in the
long run; so beside the share of draws in which it holds literally stands the number of attributes that
break it over all draws together. `--positives 0.4` hides positives twice as often, which is not at random.
`--shuffle` deals each attribute's labels out at random and fills as if they had been learned: what is
filled then is filled by chance. `--cache` keeps the scores of each draw, so that an interrupted measurement
resumes.

"Without a model" is the fill of one constant value per attribute: under the whole promise there is none,
for it misses every cell of the other class. Under precision alone it would be the value in the column `one
value`.

Measured 2026-11-25: see experiments/README.md.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from relearning import Bench, arguments, open_bench

from aimonk.commands.train import plan_splits
from aimonk.data.labels import MISSING
from aimonk.evaluation.cross_validation import held_out_scores, score_fold
from aimonk.evaluation.missing_cells import fill_missing
from aimonk.evaluation.vouching import Promise, vouch

MISS, CONFIDENCE = 0.05, 0.95


@dataclass(frozen=True)
class Draw:
    """What was hidden, `(N, L) bool`, and out-of-fold probabilities made without it, `(N, L)`."""

    hidden: np.ndarray
    probabilities: np.ndarray


def hide(targets: np.ndarray, share: float, positives: float, generator: np.random.Generator) -> np.ndarray:
    """`(N, L) bool`: known cells that are hidden, positives and negatives with their own probability."""
    chance = np.where(targets == 1, positives, share)
    return np.asarray((targets != MISSING) & (generator.random(targets.shape) < chance))


def score(bench: Bench, hidden: np.ndarray) -> np.ndarray:
    """Out-of-fold probabilities of a model that is trained without the hidden labels."""
    targets = np.where(hidden, MISSING, bench.data.targets).astype(np.float32)
    data = dataclasses.replace(bench.data, targets=targets)
    bench.learner.prepare(data)
    parts = [score_fold(bench.learner.fit(split), split) for split in plan_splits(data, bench.config)]
    return held_out_scores(parts, data, bench.config.evaluation)[0].probabilities


def draw(bench: Bench, share: float, positives: float, seed: list[int], cache: Path | None) -> Draw:
    """One draw, from the cache where it is there."""
    hidden = hide(bench.data.targets, share, positives, np.random.default_rng(seed))
    file = cache / f"{'-'.join(map(str, seed))}-{positives}.npy" if cache else None
    if file and file.is_file():
        return Draw(hidden, np.load(file))
    probabilities = score(bench, hidden)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, probabilities)
    return Draw(hidden, probabilities)


def fill(bench: Bench, found: Draw, promise: Promise) -> np.ndarray:
    """`(L, 6)` hidden cells: filled as present, wrongly, as absent, wrongly, and of either class."""
    truth, names = bench.data.targets, bench.data.attributes
    targets = np.where(found.hidden, MISSING, truth)
    vouched = vouch(targets, found.probabilities, names, bench.data.groups, names, promise)
    counts = np.zeros((len(names), 6), int)
    values, _ = fill_missing(found.hidden, found.probabilities, vouched, promise)
    for column in range(len(names)):
        rows = found.hidden[:, column]
        label, filled = truth[rows, column], values[rows, column]
        counts[column] = (
            *(np.sum(filled == 1), np.sum((filled == 1) & (label == 0))),
            *(np.sum(filled == 0), np.sum((filled == 0) & (label == 1))),
            *(np.sum(label == 1), np.sum(label == 0)),
        )
    return counts


def kept(counts: np.ndarray, promise: Promise) -> np.ndarray:
    """`(..., 4) bool` of `(..., 6)` counts: both precisions, then both miss shares; empty is kept."""
    present, wrong_present, absent, wrong_absent, positives, negatives = np.moveaxis(counts, -1, 0)
    pairs = (
        (wrong_present, present),
        (wrong_absent, absent),
        (wrong_absent, positives),
        (wrong_present, negatives),
    )
    allowed = (1 - promise.precision,) * 2 + (promise.miss,) * 2
    return np.stack([wrong <= a * of + 1e-9 for (wrong, of), a in zip(pairs, allowed, strict=True)], axis=-1)


def constant_coverage(truth: np.ndarray, precision: float) -> tuple[float, float]:
    """Share of positives and negatives that one value per attribute would reach under precision alone."""
    positives, negatives = np.sum(truth == 1, axis=0), np.sum(truth == 0, axis=0)
    known = positives + negatives
    return (
        float(positives[positives >= precision * known].sum() / positives.sum()),
        float(negatives[negatives >= precision * known].sum() / negatives.sum()),
    )


def main() -> None:
    """Print a table with a row per precision."""
    parser = arguments(__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--precision", type=float, nargs="+", default=[0.9, 0.95, 0.99])
    parser.add_argument("--share", type=float, default=0.2, help="of the negatives that is hidden")
    parser.add_argument("--positives", type=float, default=None, help="of the positives; default: --share")
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--cache", type=Path, default=None)
    given = parser.parse_args()
    bench = open_bench(given)
    if given.shuffle:
        order = np.random.default_rng(given.seed).permuted(np.arange(len(bench.data)))
        bench = dataclasses.replace(
            bench, data=dataclasses.replace(bench.data, targets=bench.data.targets[order])
        )
    positives = given.share if given.positives is None else given.positives
    draws = [draw(bench, given.share, positives, [given.seed, n], given.cache) for n in range(given.draws)]
    head = (
        *("precision", "draws", "pooled kept", "attribute kept, mean", "least", "broken over all draws"),
        *("positives filled", "negatives filled", "one value: positives, negatives"),
        *("wrong present, absent", "positives, negatives missed"),
    )
    print(f"| {' | '.join(head)} |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for precision in given.precision:
        promise = Promise(precision, MISS, CONFIDENCE)
        counts = np.array([fill(bench, one, promise) for one in draws])
        pooled = kept(counts.sum(axis=1), promise).all(axis=-1).mean()
        literal = kept(counts, promise).all(axis=-1).mean(axis=0)
        broken = np.sum(~kept(counts.sum(axis=0), promise).all(axis=-1))
        total = counts.sum(axis=(0, 1))
        constant = constant_coverage(bench.data.targets, precision)
        print(
            f"| {precision:g} | {given.draws} | {pooled:.0%} | {literal.mean():.1%} "
            f"| {literal.min():.0%} ({bench.data.attributes[int(literal.argmin())]}) | {broken} "
            f"| {(total[0] - total[1]) / total[4]:.1%} | {(total[2] - total[3]) / total[5]:.1%} "
            f"| {constant[0]:.1%}, {constant[1]:.1%} "
            f"| {total[1] / max(total[0], 1):.2%}, {total[3] / max(total[2], 1):.2%} "
            f"| {total[3] / total[4]:.2%}, {total[1] / total[5]:.2%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
