"""Read a labels file of any known format, and say what was read."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...config import LabelsConfig
from ...errors import LabelsError
from .coding import find_coding
from .column_names import holds_annotators, holds_groups, select
from .column_roles import Roles, find_roles
from .folder_column import is_folder_name
from .label_table import MISSING, LabelTable
from .merge_rows import Merged, merge_rows
from .questions import select_questions
from .raw_table import Column, RawTable
from .read_as import ReadAs
from .recognize import read_raw
from .sets import set_named
from .tag_labels import read_tags


def read_labels(path: Path, config: LabelsConfig | None = None) -> LabelTable:
    """Read a labels file, or a folder that itself says what its images show.

    >>> table = read_labels(Path("labels.csv"))  # doctest: +SKIP
    >>> table.read_as.sentences()[0]  # doctest: +SKIP
    "Read as CSV (utf-8, commas): 972 images by the column 'image', 4 attributes: red, blue, long, plain."

    Args:
        path: The file or folder; its format is recognized by content, see `recognize`.
        config: The settings `[labels]`.

    Raises:
        LabelsError: The file is not there, is damaged, or can be read in two ways that differ in a label.
    """
    config = config or LabelsConfig()
    table = read_raw(path, config.encoding)
    config = _with_presets(config, table.preset)
    if not len(table):
        raise LabelsError(f"{table.source} holds no rows: give each image a row of labels.")
    table, config = select_questions(table, config)
    roles = find_roles(table, config)
    _check_images(table, roles.image)
    read = ReadAs(
        format=table.format,
        encoding=table.encoding,
        delimiter=table.delimiter,
        image_column=roles.image.name,
        left_out=tuple(pair for pair in roles.left_out if pair[0] not in table.joined),
        bookkeeping=roles.bookkeeping,
        notes=table.notes,
        rows=len(table),
    )
    names, targets, read, stated = _labels(table, roles, config, read)
    if not (targets != MISSING).any():
        raise LabelsError(
            f"{table.source} holds no known label, all of them are NA: label some images with 1 or 0."
        )
    read = replace(read, notes=(*read.notes, *_differing_in_case(names)))
    merged = merge_rows(roles.image.codes, targets)
    _check_subject(table, roles, merged)
    if stated is not None and not (merged.targets == 0).any():
        images = np.unique(merged.row_of[stated])
        merged.targets[images] = np.maximum(merged.targets[images], 0)
        read = replace(read, notes=(*read.notes, "A label that no row gives to an image is absent."))
    return _table(table, roles, names, merged, replace(read, contradictions=merged.contradictions))


def _with_presets(config: LabelsConfig, preset: Any) -> LabelsConfig:
    """Return the settings, with what the format decides where the user decided nothing."""
    known = {field.name for field in fields(LabelsConfig)}
    coded = bool(config.present or config.absent or config.unknown)
    chosen = {
        name: value
        for name, value in preset.items()
        if name in known
        and not getattr(config, name)
        and not (coded and name in ("present", "absent", "unknown"))
    }
    return replace(config, **chosen)


def _check_images(table: RawTable, image: Column) -> None:
    for at, value in enumerate(image.values):
        if not value or "\0" in value:
            raise LabelsError(
                f"{table.source}, {table.place(image.row_of(at))}: "
                + ("the image's name is empty; name it or drop the row." if not value else
                   f"the image {value!r} is no file name; correct that row.")
            )  # fmt: skip


def _check_subject(table: RawTable, roles: Roles, merged: Merged) -> None:
    """Raise LabelsError if rows of one image contradict each other because each is about something else."""
    known = int((merged.targets != MISSING).sum()) + merged.contradictions
    if roles.tags or not merged.contradictions:
        return
    images = roles.image.codes.astype(np.int64)
    for column in roles.others:
        kinds = len(column.values)
        crossed = len(images) == len(merged.first) * kinds or 2 * merged.contradictions > known
        pairs = np.unique(images * (kinds + 1) + column.codes)
        said = 1 < kinds < len(images) and not (holds_annotators(column.name) or holds_groups(column.name))
        if said and crossed and len(pairs) == len(images):
            folder = (
                f"if the column {column.name!r} holds the folders of the images, write them before the names "
                f"in the column {roles.image.name!r}; "
                if is_folder_name(column.name)
                else ""
            )
            raise LabelsError(
                f"{table.source}: rows of one image contradict each other in {merged.contradictions} labels; "
                f"{folder}if the column {column.name!r} says what a row is about, set "
                f"labels.tags={column.name!r}, and if not, leave it out with labels.ignore."
            )


def _labels(
    table: RawTable, roles: Roles, config: LabelsConfig, read: ReadAs
) -> tuple[tuple[str, ...], np.ndarray, ReadAs, np.ndarray | None]:
    """Return attributes, `(N, L)` targets, what is said of them, and which rows state one label each."""
    if roles.tags:
        tagged = read_tags(table, roles, config)
        names, targets = tagged.names, tagged.targets
        if config.attributes:
            kept = select(table.source, names, config.attributes, "labels.attributes")
            targets = targets[:, [names.index(name) for name in kept]]
            names = kept
        tags = tuple(column.name for column in roles.tags)
        read = replace(read, attributes=names, tags=tags, separator=tagged.separator)
        if tagged.value:
            left_out = tuple(pair for pair in read.left_out if pair[0] != tagged.value)
            note = f"The column {tagged.value!r} says which of them are present."
            read = replace(read, left_out=left_out, notes=(*read.notes, note))
        return names, targets, _with_tokens(read, tagged.cells), tagged.known if tagged.single else None
    coding = find_coding(table, roles.attributes, config)
    targets = np.empty((len(table), len(roles.attributes)), np.float32, order="F")
    for at, column in enumerate(roles.attributes):
        targets[:, at] = coding.targets(column)
    names = tuple(column.name for column in roles.attributes)
    read = _with_tokens(replace(read, attributes=names), coding.cells)
    return names, np.ascontiguousarray(targets), read, None


def _differing_in_case(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a sentence for each set of attributes whose names differ only in case."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    return tuple(
        f"{' and '.join(map(repr, some))} differ only in upper and lower case and are kept apart: write them "
        "alike in the file if they mean one attribute."
        for some in alike.values()
        if len(some) > 1
    )


def _with_tokens(read: ReadAs, cells: Counter[tuple[str, float]]) -> ReadAs:
    def of(value: float) -> tuple[tuple[str, int], ...]:
        found = [(token, count) for (token, meaning), count in cells.items() if meaning == value and count]
        return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))

    return replace(read, present=of(1.0), absent=of(0.0), unknown=of(MISSING))


def _table(table: RawTable, roles: Roles, names: tuple[str, ...], merged: Merged, read: ReadAs) -> LabelTable:
    images = tuple(roles.image.values[code] for code in roles.image.codes[merged.first].tolist())
    split = groups = None
    if roles.split is not None:
        named = tuple(set_named(value) or "" for value in roles.split.values)
        split = _constant(table, roles, roles.split, named, merged)
        counts = Counter(split)
        sets = tuple((name, counts[name]) for name in ("train", "validation", "test"))
        read = replace(read, split=roles.split.name, sets=sets)
    if roles.group is not None:
        groups = _constant(table, roles, roles.group, roles.group.values, merged)
        alone = groups.count("")
        count = len(set(groups) - {""}) + alone
        notes = (*read.notes, *_alone(alone, roles.group.name))
        read = replace(read, group=roles.group.name, groups=count, notes=notes)
    elif roles.pattern:
        read = replace(read, group=roles.pattern)
    hints = tuple(
        (column.name, tuple(column.values[code] for code in column.codes[merged.first].tolist()))
        for column in roles.hints
    )
    read = replace(read, images=len(images))
    return LabelTable(table.source, images, names, merged.targets, split, groups, read, hints)


def _alone(images: int, column: str) -> tuple[str, ...]:
    """Return a sentence on images that no group is given for."""
    if not images:
        return ()
    them = "1 image has" if images == 1 else f"{images} images have"
    return (f"{them} a blank cell in {column!r}; each such image is a group of its own.",)


def _constant(
    table: RawTable, roles: Roles, column: Column, values: tuple[str, ...], merged: Merged
) -> tuple[str, ...]:
    """Return a column's value for each image; raises LabelsError where the rows of an image differ in it."""
    numbers = np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)[1][column.codes]
    expected = numbers[merged.first][merged.row_of]
    if (numbers != expected).any():
        row = int(np.argmax(numbers != expected))
        image = roles.image.values[roles.image.codes[row]]
        raise LabelsError(
            f"{table.source}, {table.place(row)}: {image!r} has {column.values[column.codes[row]]!r} in the "
            f"column {column.name!r}, and another value in an earlier row; give each image one."
        )
    return tuple(values[code] for code in column.codes[merged.first].tolist())
