"""What the tokens of a file mean: present, absent, or not known. What is open is asked, not guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from ...config import LabelsConfig
from ...errors import LabelsError
from .label_table import MISSING
from .raw_table import Column, RawTable
from .tokens import ABSENT, PRESENT, UNKNOWN, WEAK, normalized, number, percentage, stray

_MOST_TOKENS = 1000
"""A column of more different cells holds no labels."""

_MISSPELLED = 0.1
"""A column in which at most this share of the filled cells is no label, or a single one, holds
labels with mistakes."""


class Kind(Enum):
    """What the cells of a column can be."""

    LABELS = auto()
    SOFT = auto()
    MISSPELLED = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Coding:
    """What each normalized token of a file means.

    Attributes:
        value_of: 1, 0 or `MISSING` by token.
        threshold: From which number on a soft label is present; None if there is none. A threshold above 1
            is compared with percentages as they are written.
    """

    value_of: dict[str, float]
    threshold: float | None = None
    scored: frozenset[str] = frozenset()
    """Columns of numbers beyond 1, in which every number is compared with the threshold."""
    own: frozenset[str] = frozenset()
    """Tokens that the settings give a meaning, whatever the threshold says of their number."""
    cells: Counter[tuple[str, float]] = field(default_factory=Counter)
    """How many cells of which token were read as what; counted while columns are read."""

    def targets(self, column: Column) -> np.ndarray:
        """Return the labels of a column, `(N,) float32`."""
        values = np.empty(len(column.values), np.float32)
        scored = column.name in self.scored
        counts = column.counts()
        for at, cell in enumerate(column.values):
            token = normalized(cell)
            values[at] = self._value(cell, scored)
            said = token if token in self.value_of or percentage(cell) is None else cell
            self.cells[said, float(values[at])] += int(counts[at])
        return np.asarray(values[column.codes])

    def _value(self, cell: str, scored: bool) -> float:
        token = normalized(cell)
        soft = number(token)
        if token in self.own or (token in self.value_of and not (scored and soft is not None)):
            return self.value_of[token]
        assert soft is not None and self.threshold is not None
        percent = percentage(cell) if self.threshold > 1 else None
        return float((soft if percent is None else percent) >= self.threshold)


def own_meanings(config: LabelsConfig) -> dict[str, float]:
    """Return what the settings say of tokens; raises LabelsError for one that they give two meanings."""
    meanings: dict[str, float] = {}
    for name, value in (("present", 1.0), ("absent", 0.0), ("unknown", MISSING)):
        for token in map(normalized, getattr(config, name)):
            if meanings.setdefault(token, value) != value:
                raise LabelsError(
                    f"labels.{name} names the token {token!r}, which has another meaning already."
                )
    return meanings


def kind_of(column: Column, own: dict[str, float], threshold: float | None = None) -> Kind:
    """Return what the cells of a column can be, given what the settings add."""
    if len(column.values) > _MOST_TOKENS or column.listed:
        return Kind.OTHER
    tokens = [normalized(value) for value in column.values]
    strange = _strange(tokens, own)
    if not strange:
        return Kind.LABELS
    numbers = [number(token) for token in tokens if token not in own and not _open(token)]
    known = [value for value in numbers if value is not None]
    if len(known) == len(numbers) and _can_be_soft(column, known, threshold):
        return Kind.SOFT
    counts = dict(zip(tokens, column.counts().tolist(), strict=True))
    filled = sum(times for token, times in counts.items() if not _open(token))
    lost = sum(counts[token] for token in strange)
    few = lost <= _MISSPELLED * filled or (lost == 1 and filled > 1)
    return Kind.MISSPELLED if few or _mostly_answers(counts, strange, own) else Kind.OTHER


def _can_be_soft(column: Column, known: Sequence[float], threshold: float | None) -> bool:
    """Return whether numbers can be compared with the threshold: none above 1 with one that they all miss."""
    shares = min(known) >= 0 and max(known) <= 1
    if threshold is None or threshold <= 1:
        return shares
    return (shares and _percent(column) is not None) or min(known) < threshold <= max(known)


def _percent(column: Column) -> str | None:
    """Return the first cell of a column that is a percentage, if there is one."""
    return next((value for value in column.values if percentage(value) is not None), None)


def _mostly_answers(counts: dict[str, int], strange: set[str], own: dict[str, float]) -> bool:
    """Return whether most cells say present or absent, both occur, and no number is strange."""
    if any(number(token) is not None for token in strange):
        return False
    known = {token: times for token, times in counts.items() if token not in strange and not _open(token)}
    present = any(own.get(token) == 1.0 or token in PRESENT for token in known)
    absent = any(own.get(token) == 0.0 or token in ABSENT for token in known)
    return present and absent and sum(known.values()) >= sum(counts[token] for token in strange)


def first_strange(column: Column, own: dict[str, float]) -> int:
    """Return the number of the first distinct cell of a column that is no label."""
    tokens = [normalized(value) for value in column.values]
    strange = _strange(tokens, own)
    return next((at for at, token in enumerate(tokens) if token in strange), 0)


def _strange(tokens: Sequence[str], own: dict[str, float]) -> set[str]:
    strange = {token for token in tokens if not _has_meaning(token, own)}
    if not own and (single := stray(set(tokens))):
        strange.add(single)
    return strange


def find_coding(table: RawTable, columns: Sequence[Column], config: LabelsConfig) -> Coding:
    """Return what the tokens of a file's label columns mean.

    Settings come first. Of the rest, a token that always means the same has that meaning, and three are
    decided by what else the file holds:

    * -1 means absent in a file without 0, as CelebA has it. Beside 0, or beside blank cells, it means
      absent in some data sets (DeepFashion) and not known in others (CheXpert): this is asked.
    * A blank cell (or a dash) means not known where the column, or a column of the same spelling, also
      says absent. A list of marks may leave blank what is absent: this is asked.
    * A number between 0 and 1, or a percentage, is present or absent only with a threshold.

    Raises:
        LabelsError: The file can be read in two ways; the message names the settings that decide.
    """
    own = own_meanings(config)
    tokens = [{normalized(value) for value in column.values} for column in columns]
    scored = frozenset(
        column.name
        for column, some in zip(columns, tokens, strict=True)
        if kind_of(column, own, config.threshold) is Kind.SOFT and any((number(one) or 0) > 1 for one in some)
    )
    tokens = [
        {one for one in some if number(one) is None or column.name not in scored or one in own}
        for column, some in zip(columns, tokens, strict=True)
    ]
    every = set().union(*tokens)
    for column in columns:
        _check_percentages(table, column, own)
    soft = [column for column in columns if kind_of(column, own) is Kind.SOFT]
    if soft and config.threshold is None:
        _ask_threshold(table, soft, own)
    value_of = {token: value for token in every if (value := _plain(token, own)) is not None}
    _decide_numbers(table, every, tokens, own, value_of)
    _decide_blanks(table, columns, tokens, value_of)
    return Coding(value_of, config.threshold, scored, frozenset(own))


def _has_meaning(token: str, own: dict[str, float]) -> bool:
    return token in own or _open(token) or token in PRESENT or token in ABSENT


def _open(token: str) -> bool:
    return token == "-1" or token in UNKNOWN or token in WEAK


def _plain(token: str, own: dict[str, float]) -> float | None:
    """Return the meaning of a token on its own; None for numbers and blanks, which the file decides."""
    if token in own:
        return own[token]
    if token in WEAK or number(token) is not None:
        return None
    return 1.0 if token in PRESENT else 0.0 if token in ABSENT else MISSING


def _decide_numbers(
    table: RawTable,
    every: set[str],
    tokens: list[set[str]],
    own: dict[str, float],
    value_of: dict[str, float],
) -> None:
    given = {value for token, value in own.items() if number(token) is not None}
    for token, value in (("1", 1.0), ("0", 0.0)):
        if token in every and token not in own:
            if value in given:
                meaning = "labels.absent and labels.unknown" if value else "labels.present and labels.unknown"
                raise LabelsError(
                    f"{table.source} holds {token}, which the settings leave open: name it in one of "
                    f"{meaning}."
                )
            value_of[token] = value
    if "-1" not in every or "-1" in own:
        return
    if "0" in every and value_of["0"] != MISSING:
        raise LabelsError(
            f"{table.source} holds 1, 0 and -1, and either 0 or -1 may mean absent: set labels.absent and "
            'labels.unknown, such as labels.absent=["0"] and labels.unknown=["-1"].'
        )
    if any(some & {"1", "-1"} and some & WEAK - own.keys() for some in tokens):
        raise LabelsError(
            f"{table.source} holds -1 and blank cells, and either may mean absent: set labels.absent and "
            'labels.unknown, such as labels.absent=["-1"] and labels.unknown=[""].'
        )
    value_of["-1"] = 0.0


def _decide_blanks(
    table: RawTable, columns: Sequence[Column], tokens: list[set[str]], value_of: dict[str, float]
) -> None:
    said = {_family(token) for token, value in value_of.items() if value == 0.0}
    for column, some in zip(columns, tokens, strict=True):
        for token in some & WEAK - value_of.keys():
            present = {_family(other) for other in some if value_of.get(other) == 1.0}
            denies = any(value_of.get(other) == 0.0 for other in some)
            if present - said and not denies:
                kind = "blank cells" if not token else f"{token!r}"
                raise LabelsError(
                    f"{table.source}: the column {column.name!r} holds {kind}, which may mean absent or not "
                    f'known: set labels.absent=["{token}"] or labels.unknown=["{token}"].'
                )
    for token in set().union(*tokens) & WEAK:
        value_of.setdefault(token, MISSING)


def _family(token: str) -> str:
    return "number" if number(token) is not None else PRESENT.get(token) or ABSENT.get(token) or "own"


def _check_percentages(table: RawTable, column: Column, own: dict[str, float]) -> None:
    """Raise LabelsError for a column of percentages and of numbers that may be shares or percentages."""
    percent = _percent(column)
    for at, value in enumerate(column.values):
        plain = number(normalized(value)) if percentage(value) is None else None
        if percent and plain is not None and plain > 0 and normalized(value) not in own:
            raise LabelsError(
                f"{table.source}, {table.place(column.row_of(at))}: {value!r} in the column {column.name!r} "
                f"has no percent sign, and others such as {percent!r} have one: write all of them in one way."
            )


def _ask_threshold(table: RawTable, columns: Sequence[Column], own: dict[str, float]) -> None:
    """Raise LabelsError for columns of numbers between 0 and 1, percentages among them."""
    column = columns[0]
    at = first_strange(column, own)
    what, setting = "a number between 0 and 1", "0.5 to read such numbers as present from 0.5 on"
    if percentage(column.values[at]) is not None:
        start = 50 if all(map(_percent, columns)) else 0.5
        what, setting = "a percentage", f"{start} to read percentages as present from 50% on"
    raise LabelsError(
        f"{table.source}, {table.place(column.row_of(at))}: {column.values[at]!r} in the column "
        f"{column.name!r} is no label but {what}: set labels.threshold={setting}, say what they mean with "
        "labels.present, labels.absent or labels.unknown, or leave the column out with labels.ignore."
    )
