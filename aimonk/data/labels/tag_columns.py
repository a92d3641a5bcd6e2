"""Columns whose cells hold names: several tags, one category, or one label of many rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ...config import LabelsConfig
from ...errors import LabelsError
from .claimed_columns import claimed
from .coding import Kind, kind_of, own_meanings
from .column_names import find_column, holds_boxes, holds_groups, holds_tags, holds_values, is_bookkeeping
from .list_cells import as_list, parsed_cell
from .raw_table import UNIT, Column, RawTable
from .tokens import ABSENT, PRESENT, normalized, number

_SEPARATORS = ("|", ";", ",", "\n")
_POSSIBLE = ("/", "+", "&")
"""Signs that separate names, or belong to them."""
_SERIES = re.compile(r"(.*[A-Za-z])[\s_.\-]*\d+")
_BOX_SIDES = 4
"""Columns of coordinates in a table with a row for each box, whose other columns say something of the box."""
_LOOKED_AT = 200


def find_tag_columns(table: RawTable, columns: Sequence[Column], config: LabelsConfig) -> tuple[Column, ...]:
    """Return the columns whose names become attributes.

    Without the setting `tags` it is the one column that holds lists, or that is called like tags and does
    not hold labels itself, if no other column holds labels.

    Raises:
        LabelsError: The setting names no column; or there are tags and columns of labels.
    """
    names = [column.name for column in columns]
    if config.tags:
        wanted = {find_column(table.source, names, name, "labels.tags") for name in config.tags}
        return tuple(column for column in columns if column.name in wanted)
    own = own_meanings(config)
    found = [column for column in columns if _is_tags(column, own)]
    if claimed(names, config.attributes):
        return ()
    boxes = sum(holds_boxes(column.name) for column in columns) >= _BOX_SIDES
    rivals = [column for column in columns if column not in found and not boxes and _is_rival(column, own)]
    if rivals:
        several = [column for column in found if column.listed or _certain_separator(column.values)]
        if several:
            raise LabelsError(
                f"{table.source} has tags in the column {several[0].name!r} and labels in the column "
                f"{rivals[0].name!r}: set labels.tags to learn the tags, or labels.attributes to learn the "
                "others."
            )
        return ()
    if len(found) > 1:
        raise LabelsError(
            f"{table.source}: the columns {found[0].name!r} and {found[1].name!r} both hold names of labels; "
            "choose one with labels.tags, and leave the other out with labels.ignore."
        )
    return tuple(found)


def merge_series(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with those of a series such as tag1, tag2, tag3 as one column of tags."""
    series: dict[str, list[Column]] = {}
    for column in columns:
        found = _SERIES.fullmatch(column.name)
        if found and holds_tags(found[1]):
            series.setdefault(found[1], []).append(column)
    merged = list(columns)
    for stem, some in series.items():
        if len(some) > 1 and any(_is_tags(replace(column, name=stem), {}) for column in some):
            cells = zip(*(column.cells() for column in some), strict=True)
            whole = Column.of(stem, (UNIT.join(filter(None, row)) for row in cells), listed=True)
            merged[merged.index(some[0])] = whole
            merged = [column for column in merged if column not in some[1:]]
    return merged


def find_separator(table: RawTable, column: Column, separator: str, repeated: bool = False) -> str:
    """Return what separates the names in a column's cells, or "" where each cell is one name.

    Blanks separate names only if the words recombine: they form more different cells than there are
    words, some cells have several words and some fewer. Where images have several rows (`repeated`), words
    that do not recombine are one name.

    Raises:
        LabelsError: Blanks may separate names or belong to them.
    """
    if column.listed:
        return UNIT
    if separator:
        return {"\\t": "\t", "\\n": "\n", "blank": " ", "space": " "}.get(separator, separator)
    filled = [value for value in column.values if value and as_list(value) is None]
    certain = _certain_separator(filled)
    if certain and not (certain == "," and repeated and not _recombine([v.split(",") for v in filled])):
        return certain
    for sign in _POSSIBLE:
        if _recombine([value.split(sign) for value in filled]):
            example = next(value for value in filled if sign in value)
            raise LabelsError(
                f"{table.source}: {example!r} in the column {column.name!r} may be one name or several: set "
                f'labels.separator="{sign}" if it separates names, or labels.separator="|" if it does not.'
            )
    words = [value.split() for value in filled]
    if all(len(some) == 1 for some in words):
        return ""
    recombine = _recombine(words)
    if recombine != repeated:  # else the words, or the rows, speak against what the other says
        return " " if recombine else ""
    several = next(value for value, some in zip(filled, words, strict=True) if len(some) > 1)
    raise LabelsError(
        f"{table.source}: {several!r} in the column {column.name!r} may be one name or several: set "
        'labels.separator=" " if blanks separate names, or labels.separator="|" if they belong to them '
        f"(or leave the column out of labels.tags)."
    )


def _recombine(words: list[list[str]]) -> bool:
    """Return whether there are fewer words than cells, of which some have several words and some fewer."""
    return len({word for some in words for word in some}) < len(words) and len({len(w) for w in words}) > 1


def names_in(cell: str, separator: str) -> list[str]:
    """Return the names in a cell, which may also be a JSON or Python list, or Label Studio's choices.

    >>> names_in("haze primary", " "), names_in('{"choices": ["a", "b"]}', ""), names_in("red|", "|")
    (['haze', 'primary'], ['a', 'b'], ['red'])
    """
    if (found := as_list(cell)) is not None:
        return list(dict.fromkeys(found))
    parts = cell.split(separator if separator != " " else None) if separator else [cell]
    return list(dict.fromkeys(name for part in parts if (name := part.strip())))


def _certain_separator(values: Sequence[str]) -> str:
    return next((one for one in _SEPARATORS if any(one in v and as_list(v) is None for v in values)), "")


def _is_tags(column: Column, own: dict[str, float]) -> bool:
    if column.listed:
        return True
    if not holds_tags(column.name) or holds_values(column.name):
        return False
    if any(parsed_cell(value) is not None and as_list(value) is None for value in column.values[:_LOOKED_AT]):
        return False  # objects and boxes
    numbers = all(number(normalized(value)) is not None for value in column.values if value)
    return kind_of(column, own) in (Kind.OTHER, Kind.MISSPELLED) and not numbers


def _is_rival(column: Column, own: dict[str, float]) -> bool:
    """Return whether a column can only be meant as an attribute: it says both present and absent."""
    if is_bookkeeping(column.name) or holds_values(column.name) or holds_groups(column.name):
        return False
    if kind_of(column, own) is not Kind.LABELS:
        return False
    tokens = {normalized(value) for value in column.values}
    says_present = any(own.get(token) == 1.0 or token in PRESENT for token in tokens)
    says_absent = any(own.get(token) == 0.0 or token in ABSENT or token == "-1" for token in tokens)
    return says_present and says_absent
