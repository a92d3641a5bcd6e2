from __future__ import annotations

import pytest

from aimonk.errors import ConfigError
from aimonk.serving.score_options import ScoreOptions, score_options


def test_the_defaults_are_a_long_table_in_one_file() -> None:
    assert score_options() == ScoreOptions("image", "", "long", 0, 1.0, True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("shards", -1, "is -1, but: Input should be greater than or equal to 0."),
        ("shards", 1.5, "is 1.5, but: "),
        ("format", "x", "is 'x', but: Input should be 'long' or 'wide'."),
        ("max_unreadable", 2, "is 2, but: Input should be less than or equal to 1."),
        ("max_unreadable", float("nan"), "is nan, but: "),
        ("image", "", "is '', but: "),
    ],
)
def test_a_wrong_option_is_one_sentence(name: str, value: object, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        score_options(**{name: value})
    assert str(raised.value).startswith(f"The option {name} of a scoring {said}")
    assert "\n" not in str(raised.value)
