"""Measure false alarms and power where images come in groups (patients, cameras) and labels say nothing.

    python experiments/benchmarks/grouped_false_alarms.py [--draws 200] [--attributes 10] [--designs 0 1 ...]

Features are random: each group has a center, and its images lie around it, so that a model can recognize a
group but learn nothing of a label. Labels are drawn per group, or per image: the sign of a normal variable,
half of whose variance is the group's (an intraclass correlation of 0.5). A ridge head is fitted on real
grouped folds, and on one test set; `weigh_evidence` judges. Prints the share of draws that claim any
attribute (family-wise, Holm at 0.05) with its exact binomial interval, the raw rates, and how many attributes
had enough groups to be judged. `ignored` counts the draws with a claim when the test takes images for
independent.

The second table is power: attributes depend on a direction of the features. Beside it stands as many
independent images.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from aimonk.config import SplitConfig
from aimonk.data.split import fold_numbers, grouped_split
from aimonk.evaluation.evidence import Evidence, weigh_evidence

FOLDS, TEST = 5, 0.4
WIDTH, NARROW = 32, 6
"""Numbers of the features of one image, for false alarms and for power."""
CORRELATION = 0.5


@dataclass(frozen=True)
class Design:
    """How many groups of how many images, and whether labels are drawn per group or vary within it."""

    groups: int
    sizes: tuple[int, int]
    """Smallest and largest."""
    varying: bool
    prevalence: float = 0.5

    @property
    def name(self) -> str:
        """The first three cells of its rows."""
        low, high = self.sizes
        size = str(low) if low == high else f"{low} to {high}"
        kind = f"vary, ICC {CORRELATION:g}" if self.varying else "per group"
        return f"{self.groups} x {size} | {kind} | {self.prevalence:.0%}"

    def draw(
        self, attributes: int, width: int, signal: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features `(N, width)`, targets `(N, L)`, groups `(N,)`."""
        low, high = self.sizes
        groups = np.repeat(np.arange(self.groups), generator.integers(low, high + 1, self.groups))
        centers = generator.normal(size=(self.groups, width))
        features = 2 * centers[groups] + generator.normal(size=(groups.size, width))
        directions = generator.normal(size=(width, attributes)) / np.sqrt(width)
        own = generator.normal(size=(groups.size, attributes))
        shared = generator.normal(size=(self.groups, attributes))[groups]
        if not self.varying:
            latent = signal * (2 * centers @ directions)[groups] + np.sqrt(1 + signal**2) * shared
        else:
            share = CORRELATION
            noise = np.sqrt(share) * shared + np.sqrt(1 - share) * own
            latent = signal * features @ directions + np.sqrt(1 + signal**2) * noise
        cut = np.quantile(latent, 1 - self.prevalence)
        return features, (latent > cut).astype(np.float32), groups


def ridge(train: np.ndarray, targets: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Scores of a ridge regression, cheap and linear in the labels."""
    penalized = train.T @ train + 0.1 * len(train) * np.eye(train.shape[1])
    return test @ np.linalg.solve(penalized, train.T @ (targets - targets.mean(axis=0)))


def out_of_fold(
    features: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int, used: np.ndarray
) -> Evidence:
    """Evidence in grouped folds; `used` are the groups that the test uses."""
    folds = fold_numbers(targets, groups, FOLDS, seed)
    scores = np.empty(targets.shape)
    for fold in range(FOLDS):
        train = folds != fold
        scores[~train] = ridge(features[train], targets[train], features[~train])
    return _judge(targets, scores, used, folds)


def one_test_set(
    features: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int, used: np.ndarray
) -> Evidence:
    """Evidence on a fixed split by group."""
    split = grouped_split(targets, groups, SplitConfig(test=TEST, validation=0.0, seed=seed))
    scores = ridge(features[split.train], targets[split.train], features[split.test])
    return _judge(targets[split.test], scores, used[split.test], None)


def _judge(targets: np.ndarray, scores: np.ndarray, groups: np.ndarray, folds: np.ndarray | None) -> Evidence:
    names = tuple(f"attribute {j}" for j in range(targets.shape[1]))
    return weigh_evidence(targets, scores, names, groups, folds, resamples=2)


def designs() -> Iterator[Design]:
    """The ones of the issue, then unequal groups, rarer labels and more groups."""
    for varying in (False, True):
        yield Design(24, (8, 8), varying)
        yield Design(60, (5, 5), varying)
        yield Design(60, (1, 15), varying)
        yield Design(60, (5, 5), varying, 0.2)
        yield Design(200, (1, 6), varying, 0.2)


def false_alarms(design: Design, draws: int, attributes: int, seed: int) -> list[str]:
    """Two lines of the first table: in folds and on one test set."""
    lines = []
    for name, judge in (("5 folds", out_of_fold), (f"test set of {TEST:.0%}", one_test_set)):
        claims = ignored = 0
        raw: list[float] = []
        for number in range(draws):
            drawn = design.draw(attributes, WIDTH, 0.0, np.random.default_rng([seed, number]))
            found = judge(*drawn, number, drawn[2])
            claims += bool(found.learned)
            raw += [a.p_raw for a in found.attributes if np.isfinite(a.p_raw)]
            ignored += bool(judge(*drawn, number, np.arange(len(drawn[2]))).learned)
        low, high = binomtest(claims, draws).proportion_ci(method="exact")
        tests = np.array(raw)
        rates = (
            " | ".join(f"{np.mean(tests < level):.1%}" for level in (0.05, 0.01)) if raw else "none | none"
        )
        lines.append(
            f"| {design.name} | {name} | {len(raw) / draws / attributes:.0%} | {claims} of {draws} "
            f"| {low:.1%} to {high:.1%} | {rates} | {ignored} of {draws} |"
        )
    return lines


def power(design: Design, signal: float, draws: int, attributes: int, seed: int) -> str:
    """One line of the second table: share of attributes learned, and with as many independent images."""
    learned = alone = 0
    images = design.groups * sum(design.sizes) // 2
    independent = Design(images, (1, 1), False, design.prevalence)
    for number in range(draws):
        generator = np.random.default_rng([seed, 1, number])
        drawn = design.draw(attributes, NARROW, signal, generator)
        learned += len(out_of_fold(*drawn, number, drawn[2]).learned)
        other = independent.draw(attributes, NARROW, signal, generator)
        alone += len(out_of_fold(*other, number, other[2]).learned)
    total = draws * attributes
    return f"| {design.name} | {signal:g} | {learned / total:.0%} | {alone / total:.0%} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--power-draws", type=int, default=20)
    parser.add_argument("--attributes", type=int, default=10)
    parser.add_argument("--designs", type=int, nargs="*", help="numbers of the rows; default: all of them")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    chosen = [d for i, d in enumerate(designs()) if given.designs is None or i in given.designs]
    print(
        "| groups | labels | positives | judged on | tested | with a claim | family-wise, 95% "
        "| raw p < 0.05 | raw p < 0.01 | ignored |"
    )
    print("|---:|---|---:|---|---:|---:|---|---:|---:|---:|")
    for design in chosen:
        print("\n".join(false_alarms(design, given.draws, given.attributes, given.seed)), flush=True)
    print("\n| groups | labels | positives | signal | learned | learned, independent images |")
    print("|---:|---|---:|---:|---:|---:|")
    for design in chosen:
        for signal in (0.5, 1.0, 2.0):
            print(power(design, signal, given.power_draws, given.attributes, given.seed), flush=True)
    print(f"\n{given.draws} draws of {given.attributes} attributes, {time.perf_counter() - began:.0f} s.")


if __name__ == "__main__":
    main()
