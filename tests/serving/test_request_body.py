from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.serving.request_body import RequestError, read_body

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
    assert read_body("application/json", json.dumps(body).encode()).cells == CELLS


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
    assert read_body("application/json", json.dumps(body).encode()).cells == cells


@pytest.mark.parametrize(
    ("params", "explain"),
    [({}, False), ({"params": None}, False), ({"params": {}}, False), ({"params": {"explain": True}}, True)],
)
def test_explanations_are_asked_for_as_mlflow_does(params: dict[str, object], explain: bool) -> None:
    body = json.dumps({"inputs": {"image": CELLS}, **params}).encode()
    assert read_body("application/json", body).explain is explain


def test_csv_and_raw_images() -> None:
    assert read_body("text/csv", b"\xef\xbb\xbfn,image\r\n1,R0lG\r\n2,\r\n").cells == ["R0lG", ""]
    assert read_body("text/csv", b"image\n" + b"a" * 500_000).cells == ["a" * 500_000]
    assert read_body("image/jpeg", b"\xff\xd8").cells == [b"\xff\xd8"]
    assert read_body("application/octet-stream", b"\xff\xd8").cells == [b"\xff\xd8"]


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("application/json", b"{", 400, "not valid JSON"),
        ("application/json", b"\xff", 400, "not valid JSON"),
        ("application/json", b"[" * 100_000, 400, "not valid JSON"),
        ("application/json", b"[]", 400, "exactly one of the keys"),
        ("application/json", b'{"inputs": [], "instances": []}', 400, "exactly one"),
        ("application/json", b'{"inputs": 5}', 400, "needs a list"),
        ("application/json", b'{"inputs": [], "params": []}', 400, "`params` is an object"),
        ("application/json", b'{"inputs": [], "params": {"top": 5}}', 400, "nothing else"),
        ("application/json", b'{"inputs": [], "params": {"explain": "yes"}}', 400, "true or false"),
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
        read_body(kind, body)
    assert raised.value.status == status
    assert "\n" not in str(raised.value)


@given(st.sampled_from(["application/json", "text/csv", "image/png", "x"]), st.binary())
def test_any_body_gives_cells_or_an_error(kind: str, body: bytes) -> None:
    try:
        assert isinstance(read_body(kind, body).cells, list)
    except RequestError as error:
        assert error.status in (400, 415)
