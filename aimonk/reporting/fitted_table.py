"""Tables that fit the terminal without breaking a name or a number.

Rich folds long cells in the middle of a word, which makes names hard to read. A `FittedTable` makes room for
them: it moves the columns closer together, then leaves out the least important ones and says which. If the
names still do not fit, it shortens them in the middle, where different names rarely differ. If that would
make two names equal, it folds them over several lines after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .formatting import visible

SHORTEST = 12
"""A name is never shortened to fewer cells than this."""


@dataclass(frozen=True)
class Column:
    """A heading and how its cells are set."""

    heading: str
    left: bool = False
    drop: int = 0
    """Columns with a higher number are left out first when the table is too wide; 0 always stays."""


@dataclass(frozen=True)
class FittedTable:
    """A table whose first column holds names; the other cells are short and never broken.

    Args:
        columns: one per cell of a row, the names first.
        rows: the cells. The first of each row is plain text and is shown as it is, not as markup.
        foot: a last row, set apart by a line.

    Examples:
        >>> table = FittedTable((Column("name"), Column("AP", drop=1)), (("collar", Text("0.75")),))
        >>> Console().print(table)
    """

    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, *tuple[Text, ...]]]
    foot: tuple[str, *tuple[Text, ...]] | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the widest version that fits into the console."""
        names = [visible(row[0]) for row in self.rows]
        shown = list(range(len(self.columns)))
        droppable = sorted((p for p in shown if self.columns[p].drop), key=lambda p: -self.columns[p].drop)
        left_out: list[str] = []
        wide = self._build(names, shown, gap=2)
        table = (
            wide if self._width(wide, console, options) <= options.max_width else self._build(names, shown)
        )
        while self._width(table, console, options) > options.max_width and droppable:
            place = droppable.pop(0)
            shown.remove(place)
            left_out.append(self.columns[place].heading)
            table = self._build(names, shown)
        excess = self._width(table, console, options) - options.max_width
        if excess > 0:
            limit = max(map(cell_len, names), default=0) - excess
            table = self._build(shorten_names(names, max(limit, SHORTEST)), shown)
        yield table
        if left_out:
            words = f"Left out to fit the width: {', '.join(reversed(left_out))}."
            yield Text(words, style="dim")

    def _build(self, names: Sequence[str], shown: Sequence[int], gap: int = 1) -> Table:
        # The box itself puts one blank between columns.
        padding = (0, gap - 1, 0, 0)
        table = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding, header_style="dim"
        )
        for place in shown:
            column = self.columns[place]
            table.add_column(
                # A heading of two words takes two lines.
                column.heading.replace(" ", "\n", 1) if place else column.heading,
                justify="left" if column.left or not place else "right",
                vertical="bottom",
                no_wrap=place > 0,
                overflow="fold",
            )
        for name, row in zip(names, self.rows, strict=True):
            table.add_row(Text(name), *(row[place] for place in shown[1:]))
        if self.foot:
            table.add_section()
            table.add_row(Text(self.foot[0], style="bold"), *(self.foot[place] for place in shown[1:]))
        return table

    @staticmethod
    def _width(table: Table, console: Console, options: ConsoleOptions) -> int:
        """Width in cells at which nothing of the table would be folded."""
        unbounded = options.update(max_width=100_000)
        return Measurement.get(console, unbounded, table).maximum


def shorten_names(names: Sequence[str], limit: int) -> list[str]:
    """Shorten names in the middle to at most `limit` cells, or return them whole if two would be equal.

    >>> shorten_names(["a_rather_long_attribute_name", "belt"], 14)
    ['a_rathe…e_name', 'belt']
    """
    short = [_shorten_middle(name, limit) for name in names]
    return short if len(set(short)) == len(set(names)) else list(names)


def _shorten_middle(name: str, limit: int) -> str:
    if cell_len(name) <= limit:
        return name
    head, tail = name, name
    while cell_len(head) > limit // 2:
        head = head[:-1]
    while cell_len(tail) > limit - 1 - limit // 2:
        tail = tail[1:]
    return f"{head}…{tail}"
