"""A small package, and a folder that other users can read: servers started as root give up their rights."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..serving.conftest import make_package, package  # noqa: F401


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """Not below pytest's own folder, which only its user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="aimonk-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
