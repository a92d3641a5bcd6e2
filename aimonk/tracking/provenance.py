"""What a run was made with: the code's commit and the installed packages."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]


def git_commit() -> str | None:
    """Return the commit of aimonk's own checkout, else of the current folder's; None outside any repository.

    A copy that is installed into a virtual environment is not part of the repository around it.
    """
    if _git(_PACKAGE, "ls-files", "--error-unmatch", "__init__.py") is not None:
        return _git(_PACKAGE, "rev-parse", "--verify", "--quiet", "HEAD")
    return _git(Path.cwd(), "rev-parse", "--verify", "--quiet", "HEAD")


def environment() -> dict[str, Any]:
    """Return the versions of Python and of every installed package, and the kind of machine."""
    packages = {name: found.version for found in distributions() if (name := found.metadata["Name"])}
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
