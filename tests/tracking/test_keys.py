from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from aimonk.tracking.keys import attribute_key


def test_a_plain_name_is_its_own_key() -> None:
    for name in ("belt", "long sleeves", "v-neck", "size:3.5", "Ärmel", "a_b"):
        assert attribute_key(name) == name


def test_names_that_differ_in_one_sign_have_keys_of_their_own() -> None:
    names = [
        "a(b",
        "a)b",
        "a,b",
        "a/b",
        "a//b",
        "a_b",
        "..",
        ".",
        "",
        " ",
        "x" * 300,
        "x" * 301,
        "a\nb",
        "👗",
    ]
    assert len({attribute_key(name) for name in names}) == len(names)


@given(st.text(max_size=400))
@example("..")
@example("\ud800")
@example("/etc/passwd")
def test_mlflow_takes_every_key(name: str) -> None:
    key = attribute_key(name)
    assert re.fullmatch(r"[\w\-. :]+", key)
    assert len(key) <= 130
    assert key.strip() == key
    assert set(key) != {"."}
    assert attribute_key(name) == key
