"""Labels from names in cells: one attribute for each name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...config import LabelsConfig
from ...errors import LabelsError
from .coding import Kind, find_coding, kind_of, own_meanings
from .column_names import holds_annotators, holds_values, is_bookkeeping
from .column_roles import Roles
from .label_table import MISSING
from .nothing_learned import no_label
from .prodigy import ANSWERS
from .raw_table import UNIT, Column, RawTable
from .tag_columns import find_separator, names_in
from .tokens import UNKNOWN, WEAK, normalized, number

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
        known: `(N,) bool`: rows whose cell is not one of those that mean not known.
    """

    names: tuple[str, ...]
    targets: np.ndarray
    separator: str
    single: bool
    cells: Counter[tuple[str, float]]
    value: str
    known: np.ndarray


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
    prefixed = len(roles.tags) > 1
    parts = [_one_hot(table, column, config, blank, prefixed, repeated) for column in roles.tags]
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
    value, known = None, (targets != MISSING).any(axis=1)
    if single:
        value = _value_column(roles, config)
        if value is not None and _holds_names(table, roles.tags[0], value, config):
            return read_tags(table, _paired(roles, value), config)
        targets, counted = _one_label_a_row(table, targets, value, config)
        cells = counted or cells
    order = np.argsort(np.array(names, dtype=object)) if names else np.zeros(0, np.int64)
    shown = "" if separator == UNIT else separator
    attributes, stated = tuple(names[at] for at in order), value.name if value else ""
    return TagLabels(attributes, targets[:, order], shown, single, cells, stated, known)


def _one_hot(
    table: RawTable,
    column: Column,
    config: LabelsConfig,
    blank: float,
    prefixed: bool,
    repeated: bool,
) -> tuple[list[str], np.ndarray, str, Counter[tuple[str, float]]]:
    separator = find_separator(table, column, config.separator, repeated)
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


def _value_column(roles: Roles, config: LabelsConfig) -> Column | None:
    """Return the column that says whether the label of a row is present, if there is one."""
    if named := [column for column in roles.others if holds_values(column.name)]:
        return named[0]
    own = own_meanings(config)
    labels = [
        column
        for column in roles.others
        if not is_bookkeeping(column.name) and kind_of(column, own) is Kind.LABELS and len(column.values) > 1
    ]
    return labels[0] if config.tags and len(labels) == 1 else None


def _holds_names(table: RawTable, tags: Column, value: Column, config: LabelsConfig) -> bool:
    """Return whether values are categories; raises LabelsError if they are labels with mistakes."""
    own = own_meanings(config)
    kind = kind_of(value, own, config.threshold)
    numbers = any(number(normalized(cell)) is not None for cell in value.values if cell)
    if kind is Kind.OTHER and ANSWERS.issuperset(value.values):
        raise LabelsError(
            f"{table.source}: 'reject' in the column {value.name!r} may mean that a label is absent or not "
            'known: say which with labels.present=["accept"], labels.absent=["reject"] and '
            'labels.unknown=["ignore"].'
        )
    if kind is Kind.MISSPELLED or (kind is Kind.OTHER and numbers):
        raise no_label(table, value, own, lambda row: tags.values[tags.codes[row]])
    return kind is Kind.OTHER


def _paired(roles: Roles, value: Column) -> Roles:
    """Return roles in which tags are `question=answer`, for rows that answer one question each."""
    tags = roles.tags[0]
    cells = (
        f"{name}={held}" if held else "NA" for name, held in zip(tags.cells(), value.cells(), strict=True)
    )
    paired = Column.of(tags.name, cells, listed=True)
    return replace(roles, tags=(paired,), others=tuple(one for one in roles.others if one is not value))


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
