"""Which images train and which test: groups stay together, rare attributes are in every set."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import SplitConfig
from ..errors import ConfigError, LabelsError
from .stratify import stratify

log = logging.getLogger(__name__)

SETS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Indices into the usable rows, each `(n,) int64` ascending and disjoint; validation may be empty."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def parts(self) -> dict[str, np.ndarray]:
        """Return the three sets by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def make_split(
    targets: np.ndarray,
    groups: np.ndarray,
    column: Sequence[str] | None,
    config: SplitConfig,
    images: Sequence[str] | None = None,
) -> Split:
    """Divide the usable rows as `config.kind` says.

    `targets` is `(N, L)`, `groups` `(N,)`, `column` the labels file's split column at the same rows, if it
    has one; `images` only names rows in messages. Raises ConfigError or LabelsError where it cannot be done.
    """
    if config.kind == "random":
        return random_split(len(targets), config)
    if config.kind == "grouped":
        return grouped_split(targets, groups, config)
    if column is None:
        raise LabelsError(
            "The labels file has no column of sets, which split.kind=column asks for: name one with "
            "labels.split, add a column `split` of train, validation and test, or set split.kind to grouped."
        )
    split = column_split(column, groups, images)
    if len(split.validation) or not config.validation:
        return split
    return _with_validation(split, targets, groups, config)


def random_split(count: int, config: SplitConfig) -> Split:
    """Divide `count` rows into the sets that scikit-learn's `train_test_split` makes with the same seed.

    The test set is taken from all rows, then the validation set from the rest with the same seed.
    """
    # The same permutation as scikit-learn's ShuffleSplit, whose import takes longer than a whole audit.
    rest, test = _shuffled(np.arange(count), config.test, config.seed)
    train, validation = _shuffled(rest, config.validation, config.seed)
    return _checked(Split(np.sort(train), np.sort(validation), np.sort(test)), config)


def grouped_split(targets: np.ndarray, groups: np.ndarray, config: SplitConfig) -> Split:
    """Divide rows so that no group is in two sets and every attribute is spread evenly over them.

    Stratified on known positives and known negatives of each attribute, see `stratify`.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        groups: `(N,)` numbers; equal ones stay together: copies of one photo, or images of one patient.
        config: shares and seed; the same seed gives the same sets.

    Raises:
        LabelsError: a set that should have rows has none.
    """
    rest = 1.0 - config.test
    shares = (rest * (1.0 - config.validation), rest * config.validation, config.test)
    numbers = stratify(targets, groups, shares, config.seed)
    return _checked(Split(*(np.flatnonzero(numbers == part) for part in range(3))), config)


def column_split(values: Sequence[str], groups: np.ndarray, images: Sequence[str] | None = None) -> Split:
    """Divide rows as the labels file's split column says; `values[i]` is train, validation or test.

    Raises LabelsError if it leaves no row for training or testing, or puts duplicates into two sets.
    """
    assigned = np.array(values)
    first: dict[int, int] = {}
    for row, group in enumerate(np.asarray(groups).tolist()):
        start = first.setdefault(group, row)
        if values[start] != values[row]:
            one, other = (repr(images[at]) if images else f"row {at + 1}" for at in (start, row))
            raise LabelsError(
                f"The split column puts {one} into {values[start]} and {other} into {values[row]}, "
                "though they are copies of one photo or in one group: put both into one set."
            )
    for name in ("train", "test"):
        if name not in values:
            raise LabelsError(f"The split column puts no usable image into {name}: name some there.")
    return Split(*(np.flatnonzero(assigned == name) for name in SETS))


def _with_validation(split: Split, targets: np.ndarray, groups: np.ndarray, config: SplitConfig) -> Split:
    """Take the share `config.validation` of the training rows for validation, whole groups, stratified.

    For a split column that knows training and test sets only. The test set stays as the column says, and
    what chooses epochs, thresholds and calibration sees nothing of it.
    """
    rows = split.train
    shares = (1.0 - config.validation, config.validation)
    chosen = stratify(targets[rows], groups[rows], shares, config.seed) == 1
    log.warning(
        "The split column names no validation set; %d of its %d training images serve as one "
        "(split.validation=%g, 0 for none)",
        int(chosen.sum()),
        len(rows),
        config.validation,
    )
    return _checked(Split(rows[~chosen], rows[chosen], split.test), config)


def fold_numbers(targets: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Divide rows into `folds` folds of about equal size, groups whole and attributes spread evenly.

    Args:
        targets: `(N, L)` of 1, 0 and `MISSING`.
        groups: `(N,)` numbers; equal ones stay together.
        folds: how many.
        seed: the same seed gives the same folds.

    Returns:
        `(N,) int64` from 0 to folds - 1.

    Raises:
        ConfigError: fewer than 2 folds, or more folds than groups.
    """
    distinct = len(np.unique(groups))
    if not 2 <= folds <= distinct:
        choice = (
            f"choose 2 to {distinct} folds" if distinct >= 2 else "cross-validation needs at least 2 groups"
        )
        raise ConfigError(
            f"evaluation.folds is {folds}, but the {len(groups)} images form {distinct} groups (copies and "
            f"images of one group stay together): {choice}."
        )
    return stratify(targets, groups, (1.0 / folds,) * folds, seed)


def straddling(groups: np.ndarray, *index_sets: np.ndarray) -> int:
    """Count the groups that have rows in more than one of the sets of row indices."""
    apart = [np.unique(groups[rows]) for rows in index_sets if len(rows)]
    if not apart:
        return 0
    return int((np.unique(np.concatenate(apart), return_counts=True)[1] > 1).sum())


def split_table(names: Sequence[str], digests: Sequence[str], split: Split) -> list[tuple[str, str, str]]:
    """Return (image, sha256, set) of every row of the split, in row order: what is saved with a run."""
    set_of = {int(row): name for name, rows in split.parts().items() for row in rows}
    return [(names[row], digests[row], set_of[row]) for row in sorted(set_of)]


def _shuffled(rows: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    taken = math.ceil(share * len(rows))
    order = rows[np.random.RandomState(seed).permutation(len(rows))]
    return order[taken:], order[:taken]


def _checked(split: Split, config: SplitConfig) -> Split:
    for name, rows in split.parts().items():
        if not len(rows) and (name != "validation" or config.validation > 0):
            count = sum(map(len, split.parts().values()))
            raise LabelsError(
                f"{count} usable images are too few to leave one for the {name} set: "
                "label more images, or change the shares in [split]."
            )
    return split
