from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aimonk.data.independent_groups import independent_groups


def test_copies_and_names_connect_through_each_other() -> None:
    copies = np.array([5, 5, 2, 7, 9])
    assert independent_groups(copies, ["a", "b", "b", "", ""]).tolist() == [0, 0, 0, 1, 2]
    assert independent_groups(np.zeros(0, np.int64), []).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["", "a", "b", "c", "d"])), max_size=12))
def test_groups_are_the_transitive_closure(rows: list[tuple[int, str]]) -> None:
    copies, names = np.array([copy for copy, _ in rows], np.int64), [name for _, name in rows]
    linked = np.array([[a == b or (m != "" and m == n) for b, n in rows] for a, m in rows], bool)
    linked = linked.reshape(len(rows), len(rows))
    for middle in range(len(rows)):
        linked |= linked[:, [middle]] & linked[[middle], :]
    groups = independent_groups(copies, names)
    assert (np.equal.outer(groups, groups) == linked).all()
    assert [group for at, group in enumerate(groups.tolist()) if group not in groups[:at]] == list(
        range(len(set(groups.tolist())))
    )
