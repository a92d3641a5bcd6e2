from __future__ import annotations

import pytest

from aimonk.data.labels.delimiter import find_delimiter


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        (";;.jpg 1", ""),
        ("a.jpg 1 0\n|b|,c.jpg 0 NA\n", ""),
        ("a.jpg;1\n;;.jpg;0\n", ";"),
        ("image;red\na b.jpg;1\n", ";"),
        ("a.jpg 1,0\nb.jpg 0,1\n", ","),
    ],
)
def test_signs_in_names_of_a_text_with_blanks_separate_nothing(text: str, delimiter: str) -> None:
    assert find_delimiter(text) == delimiter
