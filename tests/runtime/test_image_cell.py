from __future__ import annotations

import base64

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.errors import ImagesError
from aimonk.runtime.image_cell import encoded_size, image_bytes

from ..serving.conftest import plain_image

NOT_BASE64 = "the text is not base64 of an image"
PNG = plain_image(250, 251, 252)


@given(st.binary(min_size=1), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_base64_in_every_spelling_is_undone(
    data: bytes, url_safe: bool, padded: bool, lines: bool, uri: bool
) -> None:
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    text = "\n".join(text[start : start + 5] for start in range(0, len(text), 5)) if lines else text
    text = f"data:image/png;base64,{text}" if uri else text
    if text.lower() not in ("none", "null", "nan"):
        assert image_bytes(text) == data


@pytest.mark.parametrize(
    "cell",
    [
        PNG,
        bytearray(PNG),
        memoryview(PNG),
        np.bytes_(PNG),
        base64.b64encode(PNG),
        np.str_(base64.b64encode(PNG).decode()),
        f"  {base64.b64encode(PNG).decode()}\n",
        f"DATA:image/png;charset=x;BASE64,{base64.b64encode(PNG).decode()}".encode(),
        "data:image/png;base64," + base64.b64encode(PNG).decode().replace("+", "%2B"),
        "data:image/png," + "".join(f"%{byte:02x}" for byte in PNG),
        {"bytes": PNG, "path": "a.png"},
        {"b64": base64.b64encode(PNG).decode()},
    ],
)
def test_every_way_to_send_an_image(cell: object) -> None:
    assert image_bytes(cell) == PNG
    assert encoded_size(cell) > 0


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        *(
            (cell, "there is no image")
            for cell in (None, float("nan"), pd.NA, "", " \n", "None", "nan", b"None")
        ),
        (b"   ", "there is no image"),
        (7, "bytes or base64 text, not int"),
        (True, "not bool"),
        ([1], "not list"),
        ({"path": "a.png"}, "there is no image"),
        ("/home/someone/dress.jpg", NOT_BASE64),
        ("https://example.org/a.png", NOT_BASE64),
        ("abcde", NOT_BASE64),
        ("äöü", NOT_BASE64),
        ("data:image/png;base64", "no comma"),
        ("data:image/png;base64,a.b", "does not hold base64"),
        ("data:,", "there is no image"),
    ],
)
def test_what_is_no_image_says_why(cell: object, words: str) -> None:
    found = image_bytes(cell)
    assert isinstance(found, ImagesError)
    assert words in str(found)


@given(st.one_of(st.binary(), st.text(), st.integers(), st.floats(), st.none(), st.lists(st.integers())))
def test_nothing_raises(cell: object) -> None:
    assert isinstance(image_bytes(cell), bytes | ImagesError)
    assert encoded_size(cell) >= 0
