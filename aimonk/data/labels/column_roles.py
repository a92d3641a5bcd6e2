"""Which column names the image, which hold labels, groups and sets, and which are left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...config import LabelsConfig
from ...errors import LabelsError
from .claimed_columns import check_claims, claimed
from .coding import Kind, kind_of, own_meanings
from .column_names import (
    find_column,
    holds_boxes,
    holds_groups,
    holds_values,
    is_bookkeeping,
    nearest,
    numbers_rows,
    select,
)
from .image_column import find_image_column
from .nothing_learned import no_label, nothing_left, why_no_label
from .questions import question_of
from .raw_table import Column, RawTable
from .sets import COLUMNS, set_named
from .tag_columns import find_tag_columns, merge_series

_NO_PARENTHESES = (
    "; a regular expression needs one pair of parentheses, around the part of a file name that tells groups "
    "apart"
)


@dataclass(frozen=True)
class Roles:
    """What each column of a table is for.

    Attributes:
        image: Names the image.
        attributes: One attribute each.
        tags: Hold names that become attributes; then `attributes` is empty unless the settings name some.
        group: Holds groups, or None; `pattern` is the regular expression that forms them instead.
        split: Holds predefined sets, or None.
        others: What is left, for a table with one row for each label.
        left_out: (column, reason).
        hints: Columns that look like groups.
    """

    image: Column
    attributes: tuple[Column, ...] = ()
    tags: tuple[Column, ...] = ()
    group: Column | None = None
    pattern: str = ""
    split: Column | None = None
    others: tuple[Column, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    bookkeeping: tuple[str, ...] = ()
    hints: tuple[Column, ...] = field(default=())


def find_roles(table: RawTable, config: LabelsConfig) -> Roles:
    """Return what each column of a table is for, by the settings, its cells and its name.

    Raises:
        LabelsError: A setting names a column that is not there, two columns have one name, or what a column
            is for can be read in two ways.
    """
    left_out: dict[str, str] = {}
    columns = _named(table, left_out)
    if not (config.tags or config.attributes or config.ignore):
        columns = merge_series(columns)
    names = [column.name for column in columns]
    by_name = dict(zip(names, columns, strict=True))
    for name in select(table.source, names, config.ignore, "labels.ignore"):
        left_out[name] = "labels.ignore names it"
    own = () if config.tags else claimed(names, config.attributes)
    looked_at = [c for c in columns if c.name not in left_out and (config.image or c.name not in own)]
    image = find_image_column(table, looked_at, config.image)
    group, pattern = _group(table, names, config.group)
    taken = {name: f"is left out: {why}" for name, why in left_out.items()}
    taken |= {image.name: "names the images"} | ({group: "labels.group names too"} if group else {})
    free = [column for column in columns if column.name not in taken]
    check_claims(table.source, claimed(names, (config.split,)), "labels.split", taken)
    split = _split(table, [c for c in free if config.split or c.name not in own], config.split)
    taken |= {split.name: "holds the sets"} if split else {}
    check_claims(table.source, own, "labels.attributes", taken)
    check_claims(table.source, claimed(names, config.tags), "labels.tags", taken)
    free = [column for column in free if column is not split]
    tags = find_tag_columns(table, free, config)
    attributes = _attributes(table, image, [c for c in free if c not in tags], config, bool(tags), left_out)
    others = tuple(c for c in free if c not in tags and c not in attributes)
    return Roles(
        image=image,
        attributes=attributes,
        tags=tags,
        group=by_name[group] if group else None,
        pattern=pattern,
        split=split,
        others=others,
        left_out=tuple(left_out.items()),
        bookkeeping=tuple(c.name for c in attributes if not config.attributes and is_bookkeeping(c.name)),
        hints=tuple(
            c for c in free if holds_groups(c.name) and c.name not in own and 1 < len(c.values) < len(table)
        ),
    )


def _named(table: RawTable, left_out: dict[str, str]) -> list[Column]:
    """Return the columns that have a name, without those that are blank or number the rows."""
    kept = []
    for at, column in enumerate(table.columns, start=1):
        blank = all(not value for value in column.values)
        if not column.name and blank:
            continue  # a delimiter at the end of each line, or cells left of a table
        if len(table.columns) > 2 and (column.name or at == 1) and _numbers_rows(column):
            left_out[column.name or "(no name)"] = "it numbers the rows"
            continue
        if not column.name and at > 1:
            raise LabelsError(f"{table.source}: column {at} has no name; name every column.")
        kept.append(column)
    twice = [name for name, times in Counter(column.name for column in kept).items() if times > 1]
    if twice:
        raise LabelsError(
            f"{table.source}: two columns are named {twice[0]!r}; give every column its own name."
        )
    return kept


def _numbers_rows(column: Column) -> bool:
    return len(column.values) == len(column.codes) and numbers_rows(column.name, column.values)


def _group(table: RawTable, names: Sequence[str], group: str) -> tuple[str, str]:
    """Return the group column's name, or the regular expression that forms groups; both may be empty."""
    if not group:
        return "", ""
    if found := [name for name in names if name == group or name.casefold() == group.casefold()]:
        return found[0], ""
    try:
        pattern = re.compile(group)
    except re.error as error:
        raise LabelsError(
            f"labels.group is {group!r}, which is no column of {table.source} and no regular expression "
            f"({error}): name a column, or write an expression with one group."
        ) from None
    if pattern.groups == 0:
        hint = _NO_PARENTHESES if re.search(r"[\\^$.*+?\[\]{}|]", group) else ""
        raise LabelsError(
            f"{table.source} has no column {group!r}, which labels.group names; {nearest(names, group)}"
            f"{hint}."
        )
    if pattern.groups > 1:
        raise LabelsError(
            f"labels.group is {group!r}, which has {pattern.groups} groups: put parentheses around exactly "
            "the part of a file name that tells groups apart."
        )
    return "", group


def _split(table: RawTable, columns: Sequence[Column], wanted: str) -> Column | None:
    if wanted:
        name = find_column(table.source, [column.name for column in columns], wanted, "labels.split")
        column = next(column for column in columns if column.name == name)
    else:
        named = [column for column in columns if column.name.casefold() in COLUMNS]
        fitting = [column for column in named if all(map(set_named, column.values))]
        certain = [column for column in named if column.name.casefold() == "split"]
        if not fitting and not certain:
            return None
        column = (fitting or certain)[0]
    for at, value in enumerate(column.values):
        if set_named(value) is None:
            raise LabelsError(
                f"{table.source}, {table.place(column.row_of(at))}: {value!r} is not a set; "
                f"write train, validation or test in the column {column.name!r}."
            )
    return column


def _attributes(
    table: RawTable,
    image: Column,
    columns: Sequence[Column],
    config: LabelsConfig,
    tagged: bool,
    left_out: dict[str, str],
) -> tuple[Column, ...]:
    own = own_meanings(config)
    names = [column.name for column in columns]
    if config.attributes and not tagged:
        wanted = select(table.source, names, config.attributes, "labels.attributes")
    else:
        wanted = () if tagged else tuple(names)
    kinds = {column.name: kind_of(column, own, config.threshold) for column in columns}
    attributes = []
    for column in columns:
        if column.name not in wanted:
            left_out[column.name] = (
                "the labels are in the column of tags" if tagged else "labels.attributes does not name it"
            )
            continue
        kind = kinds[column.name]
        if not config.attributes and (reason := _not_meant(column, kind, kinds)):
            left_out[column.name] = reason
            continue
        if kind in (Kind.MISSPELLED, Kind.OTHER) and (config.attributes or kind is Kind.MISSPELLED):
            raise no_label(table, column, own, _questions(image, columns, column))
        if kind is Kind.OTHER:
            left_out[column.name or "(no name)"] = why_no_label(column)
        else:
            attributes.append(column)
    if not attributes and not tagged:
        nothing_left(table, columns, own)
    return tuple(attributes)


def _questions(image: Column, columns: Sequence[Column], answers: Column) -> Callable[[int], str]:
    """Return what tells the question of a row, if a column holds answers."""
    others = [column for column in columns if column is not answers and holds_values(answers.name)]
    return lambda row: question_of(image, others, row)


def _not_meant(column: Column, kind: Kind, kinds: dict[str, Kind]) -> str:
    """Return why a column of numbers is no attribute, by its name; empty if it can be one."""
    if holds_boxes(column.name) and (kind is not Kind.LABELS or all(map(holds_boxes, kinds))):
        return "it holds coordinates of a box"
    if kind is Kind.SOFT and holds_values(column.name) and Kind.LABELS in kinds.values():
        return "it holds how sure a label is, not labels"
    return ""
