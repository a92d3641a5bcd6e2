from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from aimonk.reporting.fitted_table import Column, FittedTable, shorten_names

COLUMNS = (Column("attribute"), Column("AP"), Column("95%", drop=1), Column("F1", drop=2))


def printed(table: FittedTable, width: int) -> list[str]:
    console = Console(width=width, record=True, quiet=True)
    console.quiet = False
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def table(*names: str) -> FittedTable:
    return FittedTable(COLUMNS, [(name, Text("0.35"), Text("[0.25, 0.45]"), Text("0.50")) for name in names])


@pytest.mark.parametrize(
    ("width", "heading", "left_out"),
    [
        # 9 + 4 + 12 + 4 cells of text, then gaps of 2 and of 1
        (35, "attribute    AP           95%    F1", None),
        (34, "attribute   AP          95%   F1", None),
        (32, "attribute   AP          95%   F1", None),
        (31, "attribute   AP          95%", "F1."),
        (27, "attribute   AP          95%", "F1."),
        (26, "attribute   AP", "95%, F1."),
    ],
)
def test_columns_move_closer_then_the_least_important_go(
    width: int, heading: str, left_out: str | None
) -> None:
    lines = printed(table("collarbon"), width)
    assert lines[0] == heading
    words = " ".join(lines[3:])
    assert words == (f"Left out to fit the width: {left_out}" if left_out else "")


def test_names_are_shortened_only_when_nothing_else_can_go() -> None:
    lines = printed(table("x" * 50, "belt"), 40)
    assert lines[2] == f"{'x' * 17}…{'x' * 17} 0.35"
    assert lines[3].split() == ["belt", "0.35"]


def test_names_that_would_become_equal_are_folded_whole() -> None:
    names = ["x" * 30 + middle + "x" * 30 for middle in "ab"]
    text = "".join("".join(line.split()) for line in printed(table(*names), 40)).replace("0.35", "")
    assert all("x" * 30 + middle in text for middle in "ab")
    assert "…" not in text


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")), max_size=40)),
    st.integers(3, 50),
)
def test_shortened_names_fit_and_stay_as_many(names: list[str], limit: int) -> None:
    short = shorten_names(names, limit)
    assert len(set(short)) == len(set(names))
    assert short == names or all(cell_len(name) <= limit for name in short)


def test_the_foot_stands_apart() -> None:
    lines = printed(FittedTable(COLUMNS[:2], [("a", Text("0.1"))], ("mean", Text("0.2"))), 40)
    assert [line.split() for line in lines if line.strip(" ─")] == [
        ["attribute", "AP"],
        ["a", "0.1"],
        ["mean", "0.2"],
    ]
