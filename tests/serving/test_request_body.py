from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.serving.request_body import RequestError, body_cells

CELLS = ["R0lG", None, 7, " "]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["n", "image"], "data": [[1, cell] for cell in CELLS]}},
        {"dataframe_records": [{"n": 1, "image": cell} for cell in CELLS]},
        {"inputs": {"image": CELLS}},
        {"inputs": CELLS},
        {"instances": [{"image": cell} for cell in CELLS]},
        {"instances": CELLS},
    ],
)
def test_every_form_of_json_holds_the_cells(body: object) -> None:
    assert body_cells("application/json", json.dumps(body).encode()) == CELLS


@pytest.mark.parametrize(
    ("body", "cells"),
    [
        ({"inputs": {"image": "R0lG"}}, ["R0lG"]),
        ({"inputs": [{"b64": "R0lG"}]}, [{"b64": "R0lG"}]),
        ({"dataframe_split": {"columns": ["image"], "data": []}}, []),
        ({"dataframe_split": {"columns": ["n", "image"], "data": [[1], 2]}}, [None, None]),
        ({"dataframe_records": [{"image": "a"}, {}]}, ["a", None]),
    ],
)
def test_ragged_and_short_forms(body: object, cells: list[object]) -> None:
    assert body_cells("application/json", json.dumps(body).encode()) == cells


def test_csv_and_raw_images() -> None:
    assert body_cells("text/csv", b"\xef\xbb\xbfn,image\r\n1,R0lG\r\n2,\r\n") == ["R0lG", ""]
    assert body_cells("text/csv", b"image\n" + b"a" * 500_000) == ["a" * 500_000]
    assert body_cells("image/jpeg", b"\xff\xd8") == [b"\xff\xd8"]
    assert body_cells("application/octet-stream", b"\xff\xd8") == [b"\xff\xd8"]


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("application/json", b"{", 400, "not valid JSON"),
        ("application/json", b"\xff", 400, "not valid JSON"),
        ("application/json", b"[" * 100_000, 400, "not valid JSON"),
        ("application/json", b"[]", 400, "exactly one of the keys"),
        ("application/json", b'{"inputs": [], "instances": []}', 400, "exactly one"),
        ("application/json", b'{"inputs": 5}', 400, "needs a list"),
        ("application/json", b'{"inputs": {"photo": []}}', 400, "column `image`"),
        ("application/json", b'{"dataframe_split": {"data": [[1]]}}', 400, "column `image`"),
        ("application/json", b'{"dataframe_split": []}', 400, "needs `columns`"),
        ("application/json", b'{"dataframe_records": [{"photo": 1}]}', 400, "column `image`"),
        ("text/csv", b"", 400, "column `image`"),
        ("text/csv", b"\xff\xfe", 400, "not a CSV table"),
        ("text/plain", b"", 415, "'text/plain' is not known"),
        ("", b"", 415, "(none)"),
    ],
)
def test_what_cannot_be_understood_is_one_sentence(kind: str, body: bytes, status: int, words: str) -> None:
    with pytest.raises(RequestError, match=words.replace("(", r"\(").replace(")", r"\)")) as raised:
        body_cells(kind, body)
    assert raised.value.status == status
    assert "\n" not in str(raised.value)


@given(st.sampled_from(["application/json", "text/csv", "image/png", "x"]), st.binary())
def test_any_body_gives_cells_or_an_error(kind: str, body: bytes) -> None:
    try:
        assert isinstance(body_cells(kind, body), list)
    except RequestError as error:
        assert error.status in (400, 415)
