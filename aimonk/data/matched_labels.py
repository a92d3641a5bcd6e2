"""Labels under the names of the files they belong to, one row for each file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import LabelsError
from .labels import LabelTable
from .labels.merge_rows import merge_rows
from .match_images import MatchedImages
from .suggest_groups import group_values


def matched_labels(table: LabelTable, matched: MatchedImages) -> LabelTable:
    """Return the table with files for names; rows of one file are merged, see `merge_rows`.

    A regular expression in `labels.group` is applied to the names of the files.

    Raises:
        LabelsError: Rows of one file are in different sets or groups, or the expression fits no file.
    """
    number_of: dict[str, int] = {}
    codes = np.array([number_of.setdefault(file, len(number_of)) for file in matched.files], np.int64)
    merged = merge_rows(codes, table.targets)
    images = tuple(number_of)
    split = _of_images(table, codes, merged.first, table.split, "sets")
    groups = _of_images(table, codes, merged.first, table.groups, "groups")
    read = replace(
        table.read_as,
        images=len(images),
        contradictions=table.read_as.contradictions + merged.contradictions,
        matched=matched.spelled,
    )
    if read.group and groups is None:
        groups = group_values(read.group, images)
        if not any(groups):
            raise LabelsError(
                f"The expression {read.group!r} in labels.group fits no image, such as {images[0]!r}; write "
                "one whose parentheses enclose the part of a file name that tells groups apart."
            )
        alone = groups.count("")
        read = replace(read, groups=len(set(groups) - {""}) + alone)
        if alone:
            them = "1 image does" if alone == 1 else f"{alone} images do"
            note = f"{them} not fit {read.group!r}; each such image is a group of its own."
            read = replace(read, notes=(*read.notes, note))
    hints = tuple((name, tuple(values[row] for row in merged.first)) for name, values in table.hints)
    return replace(
        table,
        images=images,
        targets=merged.targets,
        split=split,
        groups=groups,
        read_as=read,
        hints=hints,
        filled=None if table.filled is None else merge_rows(codes, table.filled).targets,
    )


def _of_images(
    table: LabelTable, codes: np.ndarray, first: np.ndarray, values: tuple[str, ...] | None, kind: str
) -> tuple[str, ...] | None:
    """Return the values of the first rows, which all rows of an image must share."""
    if values is None:
        return None
    if len(first) < len(codes):
        for row, code in enumerate(codes.tolist()):
            earlier = int(first[code])
            if values[row] != values[earlier]:
                raise LabelsError(
                    f"{table.source} puts {table.images[earlier]!r} and {table.images[row]!r}, which are one "
                    f"file, into different {kind}: {values[earlier]!r} and {values[row]!r}; correct one."
                )
    return tuple(values[row] for row in first.tolist())
