from __future__ import annotations

from pathlib import Path

import pytest

from aimonk.backbones.large_backbone import is_large
from aimonk.config import FeaturesConfig


@pytest.mark.parametrize(
    ("name", "large"),
    [
        ("mobilenet@0.25", False),
        ("mobilenet@0.5", False),
        ("mobilenet", True),
        ("mobilenet@0.4", False),  # not published; 0.16 of 3.2 million
        ("mobilenet@0.6", True),  # 0.36 of 3.2 million
        ("resnet50", True),
    ],
)
def test_named_networks(name: str, large: bool) -> None:
    assert is_large(FeaturesConfig(name)) is large


@pytest.mark.parametrize("suffix", [".keras", ".onnx"])
@pytest.mark.parametrize(("size", "large"), [(3_999_999, False), (4_000_000, True)])
def test_files_by_their_size(tmp_path: Path, suffix: str, size: int, large: bool) -> None:
    file = tmp_path / f"network{suffix}"
    file.write_bytes(bytes(size))
    assert is_large(FeaturesConfig(str(file))) is large
