"""Who is trained on and who is tested: duplicates together, rare attributes in every set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..config import SplitConfig
from ..errors import ConfigError, LabelsError
from .stratify import stratify

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
    has one; `images` only names rows in messages. Raises ConfigError or LabelsError where that cannot be.
    """
    if config.kind == "random":
        return random_split(len(targets), config)
    if config.kind == "grouped":
        return grouped_split(targets, groups, config)
    if column is None:
        raise LabelsError(
            "The labels file has no column `split`, which split.kind = column asks for: "
            "add one of train, validation and test, or set split.kind to grouped."
        )
    return column_split(column, groups, images)


def random_split(count: int, config: SplitConfig) -> Split:
    """Divide `count` rows as scikit-learn's `train_test_split` does, with the same seed into the same sets.

    The test set is taken from all rows, then the validation set from the others, with the same seed.
    """
    # The very permutation of scikit-learn's ShuffleSplit, whose import takes longer than a whole audit.
    rest, test = _shuffled(np.arange(count), config.test, config.seed)
    train, validation = _shuffled(rest, config.validation, config.seed)
    return _checked(Split(np.sort(train), np.sort(validation), np.sort(test)), config)


def grouped_split(targets: np.ndarray, groups: np.ndarray, config: SplitConfig) -> Split:
    """Divide rows so that no group straddles two sets and every attribute is spread evenly over them.

    Stratified on known positives and known negatives of each attribute, see `stratify`. `targets` is
    `(N, L)` of 1, 0 and MISSING, `groups` `(N,)`; the same seed gives the same sets.
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
                "though they are one photograph: put both into one set."
            )
    for name in ("train", "test"):
        if name not in values:
            raise LabelsError(f"The split column puts no usable image into {name}: name some there.")
    return Split(*(np.flatnonzero(assigned == name) for name in SETS))


def fold_numbers(targets: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return which of `folds` equal folds each row belongs to, `(N,) int64`; grouped and stratified likewise.

    Raises ConfigError for fewer than 2 folds, or more folds than groups.
    """
    distinct = len(np.unique(groups))
    if not 2 <= folds <= distinct:
        raise ConfigError(
            f"evaluation.folds is {folds}, but these images, of {distinct} different photographs, "
            f"can be divided into 2 to {distinct} folds: choose such a number."
        )
    return stratify(targets, groups, (1.0 / folds,) * folds, seed)


def straddling(groups: np.ndarray, *index_sets: np.ndarray) -> int:
    """Return how many groups have rows in more than one of the sets of row indices."""
    apart = [np.unique(groups[rows]) for rows in index_sets if len(rows)]
    if not apart:
        return 0
    return int((np.unique(np.concatenate(apart), return_counts=True)[1] > 1).sum())


def split_table(names: Sequence[str], digests: Sequence[str], split: Split) -> list[tuple[str, str, str]]:
    """Return (image, sha256, set) of every row of the split, in row order: what is saved with a run."""
    set_of = {int(row): name for name, rows in split.parts().items() for row in rows}
    return [(names[row], digests[row], set_of[row]) for row in sorted(set_of)]


def restore_split(saved: Iterable[Sequence[str]], digests: Sequence[str]) -> Split:
    """Return the split that `split_table` saved, for images of these digests: the same bytes, any name.

    Images that the saved split does not know are in no set.
    """
    set_of = {digest: name for _, digest, name in saved}
    assigned = np.array([set_of.get(digest, "") for digest in digests], dtype=object)
    return Split(*(np.flatnonzero(assigned == name) for name in SETS))


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
