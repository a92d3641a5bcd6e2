"""Shows doctest lines of docstrings as code on the site; Markdown would read `>>>` as nested quotes."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^([ ]*)>>> .*(?:\n\1(?=\S).*)*", re.MULTILINE)


class DoctestBlocks(griffe.Extension):
    """Puts each run of doctest lines into a fenced block, without the directives that only doctest needs."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of every module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = fence(obj.docstring.value)


def fence(docstring: str) -> str:
    r"""Fence the doctest lines of a docstring.

    >>> fence(">>> 1 + 1")
    '```python\n>>> 1 + 1\n```'
    """

    def block(match: re.Match[str]) -> str:
        indent = match[1]
        code = re.sub(r"\s*# doctest:.*", "", match[0])
        return f"{indent}```python\n{code}\n{indent}```"

    return EXAMPLE.sub(block, docstring)
