"""Groups that nobody named: images of one patient, product or session, which a split must not divide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .labels import MISSING, LabelTable
from .labels.sets import set_named

FEWEST = 5
"""Fewest groups worth naming: with fewer, cross-validation has no folds to put them in."""

_SHUFFLES = 199
_ALPHA = 0.01
_MOST_IMAGES = 20_000
"""Images of which labels are compared within groups."""


@dataclass(frozen=True)
class SuggestedGroups:
    """Groups that a column, folders or names suggest.

    Attributes:
        setting: Value for `labels.group`.
        groups: How many groups it forms.
        images: How many images are in groups of at least two.
        reason: What suggests them, as a sentence.
    """

    setting: str
    groups: int
    images: int
    reason: str

    def sentence(self) -> str:
        """Return the suggestion for people, with the option that follows it."""
        return (
            f"{self.reason} If such images are not independent, give --group '{self.setting}'; otherwise "
            "images of one group are learned from and tested on at the same time, which flatters every score."
        )


def suggested_groups(table: LabelTable) -> SuggestedGroups | None:
    """Return the groups that a table without groups suggests, if any.

    Three sources, the most certain first:

    1. A column called like a group (`Patient ID`, `camera`) whose values repeat.
    2. A folder in the images' paths whose names hold numbers (`patient00035/`).
    3. The beginning of file names, up to a `_`, `-` or blank (`patient00_view3.jpg`).

    Folders and names count if they form at least `FEWEST` groups and at least half of the images share
    theirs. A beginning without a digit may be a class or a person: it counts only if it names no attribute
    and the labels agree within groups far more often than between them (see `agreement_p_value`). The
    shortest beginning that qualifies is taken, because groups that are too large only cost power, while
    groups that are too small let copies straddle.

    Args:
        table: The labels; its image names are the files' paths where `match_images` found them.

    >>> names = tuple(f"p{n:02}_view{v}.jpg" for n in range(6) for v in range(3))
    >>> table = LabelTable(Path("labels.csv"), names, ("a",), np.zeros((18, 1), np.float32))  # doctest: +SKIP
    >>> suggested_groups(table).setting, suggested_groups(table).groups  # doctest: +SKIP
    ('^([^_]+)_', 6)
    """
    if table.groups is not None or table.read_as.group:
        return None
    for name, values in table.hints:
        sizes = Counter(value for value in values if value)
        if (found := _grouped(name, sizes, len(values), 2)) is not None:
            return SuggestedGroups(*found, f"The column {name!r} has {found[1]} different values.")
    return _folders(table) or _beginnings(table)


def group_values(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return what a regular expression's one group finds in each file name, "" where it finds nothing.

    The expression is searched in the last part of a path; one with a slash, or that fits no last part, in
    the whole path. The Nth image that fits nothing is a group of its own.

    >>> group_values(r"^([^_]+)_", ("photos/p01_a.jpg", "photos/p01_b.jpg", "photos/other.jpg"))
    ('p01', 'p01', '')
    """
    expression = re.compile(pattern)
    whole = "/" in pattern
    if not whole:
        found = _searched(expression, [name.rpartition("/")[2] for name in names])
        if any(found):
            return found
    return _searched(expression, names)


def _searched(expression: re.Pattern[str], texts: Sequence[str]) -> tuple[str, ...]:
    matches = map(expression.search, texts)
    return tuple((match[1] or "") if match else "" for match in matches)


def agreement_p_value(targets: np.ndarray, groups: np.ndarray, seed: int = 0) -> float:
    """Return how likely labels agree this well within groups if groups say nothing about labels.

    The statistic is the number of ordered pairs of images in one group with equal known labels, summed over
    attributes: for an attribute with `p_g` positives and `q_g` negatives in group g, `sum_g p_g^2 + q_g^2`
    (which counts each image with itself as well, a constant). Under the hypothesis that labels are
    exchangeable between images, its distribution is that over permutations of the images (Good,
    "Permutation, Parametric, and Bootstrap Tests of Hypotheses", 2005, chapter 1), of which 199 are drawn:
    `p = (1 + #{shuffled >= observed}) / 200`.

    Args:
        targets: `(N, L) float32` of 1, 0 and MISSING; whole rows are permuted.
        groups: `(N,)` group numbers from 0.
        seed: Of the permutations.
    """
    known = np.concatenate([targets == 1, targets == 0], axis=1).astype(np.float64)
    generator = np.random.default_rng(seed)

    def statistic(order: np.ndarray) -> float:
        sums = np.zeros((int(groups.max()) + 1, known.shape[1]))
        np.add.at(sums, groups, known[order])
        return float((sums**2).sum())

    observed = statistic(np.arange(len(groups)))
    reached = sum(statistic(generator.permutation(len(groups))) >= observed for _ in range(_SHUFFLES))
    return (1 + reached) / (1 + _SHUFFLES)


def _folders(table: LabelTable) -> SuggestedGroups | None:
    paths = [name.split("/")[:-1] for name in table.images]
    for depth in range(min(map(len, paths), default=0)):
        folders = [path[depth] for path in paths]
        distinct = set(folders)
        if not all(any(sign.isdigit() for sign in folder) for folder in distinct) or all(
            map(set_named, distinct)
        ):
            continue
        setting = _folder_pattern(distinct, depth)
        if (found := _by_pattern(setting, table)) is not None:
            reason = f"The folders in the images' paths, such as {folders[0]}, form {found[1]} groups."
            return SuggestedGroups(*found, reason)
    return None


def _folder_pattern(folders: set[str], depth: int) -> str:
    """Return the expression for a folder: its constant word and its number, else its place in the path."""
    words = {match[1] if (match := re.fullmatch(r"([A-Za-z_-]+)\d+", folder)) else "" for folder in folders}
    if len(words) == 1 and "" not in words:
        return rf"({words.pop()}\d+)/"
    return rf"^(?:[^/]+/){{{depth}}}([^/]+)/" if depth else r"^([^/]+)/"


def _beginnings(table: LabelTable) -> SuggestedGroups | None:
    last = [name.rpartition("/")[2].rpartition(".")[0] or name for name in table.images]
    for length in (1, 2, 3):
        for sign in ("_", "-", " "):
            part = f"[^{sign}]+"
            setting = f"^({part}{f'{sign}{part}' * (length - 1)}){sign}"
            starts = [match[1] if (match := re.match(setting, name)) else "" for name in last]
            if not any(starts) or (found := _by_pattern(setting, table)) is None:
                continue
            shared = {start for start, size in Counter(filter(None, starts)).items() if size > 1}
            digits = sum(any(sign.isdigit() for sign in start) for start in shared) > len(shared) / 2
            if digits or _labels_agree(table, starts):
                example = next(start for start in starts if start in shared)
                reason = f"The file names begin alike, such as {example}{sign}, in {found[1]} groups."
                return SuggestedGroups(*found, reason)
    return None


def _by_pattern(setting: str, table: LabelTable) -> tuple[str, int, int] | None:
    values = group_values(setting, table.images)
    return _grouped(setting, Counter(filter(None, values)), len(values), FEWEST)


def _grouped(setting: str, sizes: Counter[str], count: int, fewest: int) -> tuple[str, int, int] | None:
    """Return the setting with its groups and the images that share theirs, if that is worth naming."""
    shared = sum(size for size in sizes.values() if size > 1)
    alone = count - sum(sizes.values())
    groups = len(sizes) + alone
    if len(sizes) < fewest or groups >= count or shared < count / 2:
        return None
    return setting, groups, shared


def _labels_agree(table: LabelTable, starts: Sequence[str]) -> bool:
    """Return whether labels agree within groups, of groups that are not themselves what is labeled."""
    named = {re.sub(r"[\W_]+", "", name.casefold()) for name in table.attributes}
    if any(re.sub(r"[\W_]+", "", start.casefold()) in named for start in starts if start):
        return False
    targets = table.targets[:_MOST_IMAGES]
    if not (targets != MISSING).any():
        return False
    groups = np.unique(np.array(starts[:_MOST_IMAGES]), return_inverse=True)[1]
    return agreement_p_value(targets[:, :10], groups) <= _ALPHA
