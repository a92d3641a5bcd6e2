"""The Python API: light to import, complete, and the same functions as the commands."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from rich.text import Text

import aimonk
from aimonk.results.presentation import Result
from tests.conftest import ROOT


def test_importing_aimonk_loads_nothing_heavy() -> None:
    code = (
        "import sys, aimonk\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'pandas', 'openvino', 'numpy', 'pydantic', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("name", aimonk.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    found = getattr(aimonk, name)
    assert found.__doc__
    if not isinstance(found, type) and name != "load_config":
        assert re.search(rf">>> .*aimonk\.{name}\(", found.__doc__), f"aimonk.{name} has no example"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        aimonk.trian  # noqa: B018


def test_a_result_shows_itself_as_text_and_html() -> None:
    class Told(Result):
        def summary(self) -> list[object]:  # type: ignore[override]
            return [Text("many <of> them")]

        def to_json(self) -> dict[str, object]:
            return {}

    assert str(Told()) == "many <of> them\n"
    assert "many &lt;of&gt; them" in Told()._repr_html_()
