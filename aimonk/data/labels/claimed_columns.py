"""Columns that a setting names, and what else they may already be for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...errors import LabelsError


def claimed(names: Sequence[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that settings call by name, patterns left aside.

    >>> claimed(("belt", "split", "collar"), ("Belt, split", "c*"))
    ('belt', 'split')
    """
    texts = [part for text in wanted for part in (text, *map(str.strip, text.split(","))) if part]
    folded = {text.casefold() for text in texts if text not in names}
    return tuple(name for name in names if name in texts or name.casefold() in folded)


def check_claims(source: object, names: Sequence[str], setting: str, taken: Mapping[str, str]) -> None:
    """Raise LabelsError if one of the columns that a setting names is for something else.

    Args:
        source: The labels file.
        names: Columns that the setting names.
        setting: Its name.
        taken: What columns are for already, as the end of a sentence.
    """
    for name in names:
        if name in taken:
            raise LabelsError(
                f"{source}: {setting} names the column {name!r}, which {taken[name]}: name it in one setting "
                "only."
            )
