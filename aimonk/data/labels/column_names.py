"""Finding columns by the names that settings give, and by what their names usually mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from ...errors import LabelsError
from .read_as import shortened

_BOOKKEEPING = re.compile(
    r"(is|was|has_been)_?(valid|invalid|reviewed|verified|checked|approved|done|complete|completed|labeled|"
    r"labelled|annotated|skipped|flagged|duplicate|train|test|val|used|deleted|active|public|gold)|"
    r"(un)?(valid|reviewed|verified|checked|approved|done|completed?|labell?ed|annotated|skipped|skip|flag|"
    r"flagged|valid|duplicate|deleted|ignore|exclude|excluded|include|included|usable|gold|status|qa|qc)|"
    r"(.*_)?(id|ids|uuid|index|idx|no|nr|number|count|version|batch|fold|seed|rank|row|#)|"
    r"(annotat|label|review|rat|work|read)e?(r|or|er)s?(_.*)?|follow_?up.*|"
    r"patient_(age|sex|gender)|(.*_)?(date|time|timestamp|year|month|created|updated|created_at|updated_at|"
    r"lead_time|width|height|score|confidence|agreement)"
)
_TAGS = re.compile(
    r"(image|img|finding|class|object|attribute|disease|all|multi|human|machine)?_?"
    r"(tag|label|class|categor|finding|attribute|keyword|concept|choice|diagnos|annotation|target|pathologi|"
    r"question|property|properties|trait|feature)"
    r"(s|es|y|ies|is|e)?(_?(name|names|list|display_name|text|desc))?"
)
_VALUE = re.compile(
    r"(label_?|human_?)?(confidence|score|probability|prob|verification|value|present|presence|"
    r"is_?present|is_?positive|answer|vote|truth|verdict)"
)
_GROUP = re.compile(
    r"(patient|subject|case|participant|person|session|camera|cam|product|sku|specimen|animal|individual|"
    r"donor|owner|scene|video|clip|sequence|site|hospital|family|slide|device|visit|study|burst|item_group|group)s?"
    r"_?(id|no|nr|num|number|name|key|index|code|uuid|#)?"
)
_ANNOTATOR = re.compile(
    r"(annotat|label|review|rat|work|read|cod)e?(or|er|r)s?(_?(id|name|no))?|completed_by"
)
_BOX = re.compile(
    r"(bbox|box)?_?([xy](_?(min|max|center|[012]))?|c[xy]|w|h|(rect|bbox|box)(_?(left|top|right|bottom|width|height))?)"
)
_ROW_NUMBER = re.compile(r"|unnamed: ?\d+|index|row|row_?(id|no|number)?|no|nr|#")


def is_bookkeeping(name: str) -> bool:
    """Return whether a column's name suggests notes about the labeling, not a label.

    >>> is_bookkeeping("is_valid"), is_bookkeeping("annotator_id"), is_bookkeeping("collar")
    (True, True, False)
    """
    return _BOOKKEEPING.fullmatch(_plain(name)) is not None


def holds_tags(name: str) -> bool:
    """Return whether a column's name suggests that its cells are names: `tags`, `Answer.label`, `class`."""
    return _TAGS.fullmatch(_plain(name).rpartition(".")[2]) is not None


def holds_values(name: str) -> bool:
    """Return whether a column's name suggests how sure the label of its row is: `confidence`."""
    return _VALUE.fullmatch(_plain(name)) is not None


def holds_groups(name: str) -> bool:
    """Return whether a column's name suggests images that are not independent: `Patient ID`, `camera`."""
    return _GROUP.fullmatch(_plain(name)) is not None


def holds_boxes(name: str) -> bool:
    """Return whether a column's name is that of a coordinate of a box: `XMin`, `bbox_x`."""
    return _BOX.fullmatch(_plain(name)) is not None


def holds_annotators(name: str) -> bool:
    """Return whether a column's name says who labeled a row."""
    return _ANNOTATOR.fullmatch(_plain(name)) is not None


def numbers_rows(name: str, cells: Sequence[str]) -> bool:
    """Return whether a column only counts the rows, as a data frame's index does."""
    if not cells or _ROW_NUMBER.fullmatch(name.strip().casefold()) is None or cells[0] not in ("0", "1"):
        return False
    start = int(cells[0])
    return list(cells) == [str(number) for number in range(start, start + len(cells))]


def find_column(source: object, names: Sequence[str], wanted: str, setting: str) -> str:
    """Return the name of the column that a setting asks for, exact or without regard to case.

    Raises:
        LabelsError: No column is called so.
    """
    found = [name for name in names if name == wanted] or [
        name for name in names if name.casefold() == wanted.casefold()
    ]
    if found:
        return found[0]
    raise LabelsError(f"{source} has no column {wanted!r}, which {setting} names; {nearest(names, wanted)}.")


def select(source: object, names: Sequence[str], wanted: Iterable[str], setting: str) -> tuple[str, ...]:
    """Return the names that a setting's names and globs ask for, in their order in the file.

    A text that is no name itself is a glob, else several names separated by commas.

    >>> select("labels.csv", ("is_valid", "is_new", "collar"), ("is_*",), "labels.ignore")
    ('is_valid', 'is_new')

    Raises:
        LabelsError: A name or glob fits none.
    """
    chosen: set[str] = set()
    for text in wanted:
        chosen.update(matching(names, text) or _each(source, names, text, setting))
    return tuple(name for name in names if name in chosen)


def matching(names: Sequence[str], text: str) -> set[str]:
    """Return the names that a text is, exactly or without regard to case, or that fit it as a glob.

    >>> sorted(matching(("is_new", "IS_OLD", "red"), "is_*")), matching(("red",), "blue")
    (['IS_OLD', 'is_new'], set())
    """
    if exact := {name for name in names if name == text}:
        return exact
    folded = text.casefold()
    equal = {name for name in names if name.casefold() == folded}
    return equal or {name for name in names if fnmatchcase(name.casefold(), folded)}


def _each(source: object, names: Sequence[str], text: str, setting: str) -> set[str]:
    found: set[str] = set()
    for part in map(str.strip, text.split(",")):
        if not (some := matching(names, part)):
            near = nearest(names, part)
            raise LabelsError(f"{source} has no column or tag {part!r}, which {setting} names; {near}.")
        found |= some
    return found


def nearest(names: Sequence[str], wanted: str) -> str:
    """Return which name comes closest, or which names there are, as the end of a sentence."""
    if near := get_close_matches(wanted, names, 1, 0.5):
        return f"the nearest is {near[0]!r}"
    if len(names) == 1:
        return f"there is only {names[0]!r}"
    return f"there are {shortened(tuple(names))}" if names else "there are none"


def _plain(name: str) -> str:
    """Return a name in lower case with underscores for blanks, dashes and changes of case."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[\s\-]+", "_", name).casefold()
