"""The page on labels files lists every setting of `[labels]`, in the order of the configuration."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from aimonk.config import LabelsConfig

PAGE = Path(__file__).parents[3] / "docs" / "how_to" / "labels.md"


def test_the_page_lists_every_setting_with_a_line() -> None:
    listed = re.findall(r"^\| `(\w+)` \| .+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [field.name for field in fields(LabelsConfig)]
