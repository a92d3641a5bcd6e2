"""Labels from names in cells: one attribute for each name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...config import LabelsConfig
from ...errors import LabelsError
from .coding import find_coding, own_meanings
from .column_names import holds_annotators, holds_values
from .column_roles import Roles
from .label_table import MISSING
from .raw_table import UNIT, Column, RawTable
from .tag_columns import find_separator, names_in
from .tokens import UNKNOWN, WEAK, normalized

_MOST_TAGS = 2000


@dataclass(frozen=True)
class TagLabels:
    """Labels of the rows of a table, before rows of one image are merged.

    Attributes:
        names: The L attributes, sorted.
        targets: `(N, L) float32`.
        separator: Between two names in a cell.
        single: Whether each row is one label of its image, so that the rows of an image add up.
        cells: Cells by (token, value), for `ReadAs`.
        value: Column that says whether the label of a row is present; empty if there is none.
    """

    names: tuple[str, ...]
    targets: np.ndarray
    separator: str
    single: bool
    cells: Counter[tuple[str, float]]
    value: str = ""


def read_tags(table: RawTable, roles: Roles, config: LabelsConfig) -> TagLabels:
    """Return the labels that names in cells give.

    A name is present in the rows whose cell holds it, and absent in all others. Where every row holds one
    name and an image has several rows, each row is one label of its image; a column such as `confidence`
    then says whether it is present (1), absent (0) or how sure that is, and what is said of no row is
    absent, or not known if the file says of other labels that they are absent.

    Raises:
        LabelsError: A blank cell, a separator or a number can be read in two ways.
    """
    repeated = len(roles.image.values) < len(roles.image.codes)
    blank = _meaning_of_blank(table, roles.tags, config)
    parts = [_one_hot(table, column, config, blank, len(roles.tags) > 1) for column in roles.tags]
    names = [name for found, _, _, _ in parts for name in found]
    if len(names) > _MOST_TAGS:
        raise LabelsError(
            f"{table.source}: the column {roles.tags[0].name!r} holds {len(names)} different names; set "
            "labels.separator to what separates them, or labels.tags to another column."
        )
    targets = np.concatenate([part for _, part, _, _ in parts], axis=1)
    cells = sum((counted for _, _, _, counted in parts), Counter[tuple[str, float]]())
    separator = parts[0][2]
    single = repeated and not (targets == 1).sum(axis=1).max(initial=0) > 1
    single = single and not any(holds_annotators(column.name) for column in roles.others)
    value = None
    if single:
        value = next((column for column in roles.others if holds_values(column.name)), None)
        targets, counted = _one_label_a_row(table, targets, value, config)
        cells = counted or cells
    order = np.argsort(np.array(names, dtype=object)) if names else np.zeros(0, np.int64)
    shown = "" if separator == UNIT else separator
    return TagLabels(
        tuple(names[at] for at in order), targets[:, order], shown, single, cells, value.name if value else ""
    )


def _one_hot(
    table: RawTable, column: Column, config: LabelsConfig, blank: float, prefixed: bool
) -> tuple[list[str], np.ndarray, str, Counter[tuple[str, float]]]:
    separator = find_separator(table, column, config.separator)
    own = own_meanings(config)
    cells: Counter[tuple[str, float]] = Counter()
    names: list[str]
    number_of: dict[str, int] = {}
    held: list[tuple[float, list[int]]] = []
    for cell, count in zip(column.values, column.counts().tolist(), strict=True):
        token = normalized(cell)
        if token in own and own[token] != 1.0:
            value, names = own[token], []
        elif token in UNKNOWN - {"none"} and token not in own:
            value, names = MISSING, []
        else:
            names = names_in(cell, separator)
            value = 0.0 if names or column.listed else blank
        held.append((value, [number_of.setdefault(name, len(number_of)) for name in names]))
        if not names:
            cells[token, value] += count
        for name in names:
            cells[name, 1.0] += count
    targets = np.empty((len(held), len(number_of)), np.float32)
    for at, (value, numbers) in enumerate(held):
        targets[at] = value
        targets[at, numbers] = 1.0
    attributes = [f"{column.name}={name}" if prefixed else name for name in number_of]
    return attributes, targets[column.codes], separator, cells


def _meaning_of_blank(table: RawTable, columns: Sequence[Column], config: LabelsConfig) -> float:
    own = own_meanings(config)
    for column in columns:
        open_tokens = {normalized(value) for value in column.values} & WEAK - own.keys()
        if open_tokens and not column.listed:
            raise LabelsError(
                f"{table.source}: blank cells in the column {column.name!r} may mean that an image has none "
                'of the names or that it is not labeled: set labels.absent=[""] or labels.unknown=[""].'
            )
    return own.get("", 0.0)


def _one_label_a_row(
    table: RawTable, targets: np.ndarray, value: Column | None, config: LabelsConfig
) -> tuple[np.ndarray, Counter[tuple[str, float]] | None]:
    """Return the labels of rows that each say one thing of their image, and nothing of other labels."""
    said = targets == 1
    if value is None:
        return np.where(said, np.float32(1), np.float32(MISSING)), None
    coding = find_coding(table, [value], config)
    stated = coding.targets(value)
    return np.where(said, stated[:, None], np.float32(MISSING)), coding.cells
