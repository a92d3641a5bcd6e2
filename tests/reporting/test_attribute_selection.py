from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimonk.reporting.attribute_selection import both_ends


def test_the_first_and_the_last_are_kept_in_order() -> None:
    assert both_ends("abcdef", 4) == ["a", "b", "e", "f"]
    assert both_ends("abcdef", 5) == ["a", "b", "c", "e", "f"]
    assert both_ends("abc", 4) == ["a", "b", "c"]


@given(st.lists(st.integers(), unique=True), st.integers(2, 20))
def test_never_more_than_asked_and_never_one_twice(items: list[int], most: int) -> None:
    kept = both_ends(items, most)
    assert len(kept) == min(len(items), most)
    assert sorted(kept, key=items.index) == kept
