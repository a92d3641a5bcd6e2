"""Carries out a Dockerfile without Docker: each step in a folder, by the rules of Docker's reference.

Only what `deploy/Dockerfile` uses is understood; anything else is an error. `FROM python` becomes a new
virtual environment. The image's root is a folder, so commands must name files relative to WORKDIR.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Image:
    """What the steps have led to."""

    root: Path
    base: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: tuple[int, int] = (0, 0)
    ports: list[int] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)

    @property
    def here(self) -> Path:
        """WORKDIR on this machine."""
        return self.root / self.workdir.lstrip("/")

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process in the image."""
        return {"PATH": f"{self.root}/python/bin:/usr/bin:/bin", **self.environment}

    def run(self, command: list[str]) -> None:
        """Run a command as a step of the build does."""
        subprocess.run(command, cwd=self.here, env={**_outside(), **self.variables}, check=True)


def steps(text: str) -> list[tuple[str, str]]:
    """(instruction, the rest) in order, continued lines joined.

    >>> steps("FROM a:1\\n# why\\nRUN b \\\\\\n    c\\n")
    [('FROM', 'a:1'), ('RUN', 'b c')]
    """
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in pairs]


def build(text: str, context: Path, root: Path) -> Image:
    """Carry out all steps; files come from `context`, and the image's lie below `root`."""
    image = Image(root)
    arguments: dict[str, str] = {}
    for name, rest in steps(text):
        match name:
            case "ARG":
                key, _, value = rest.partition("=")
                arguments[key] = value
            case "FROM":
                image.base = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], rest)
                subprocess.run([sys.executable, "-m", "venv", root / "python"], check=True)
            case "ENV":
                image.environment |= dict(pair.split("=", 1) for pair in rest.split())
            case "WORKDIR":
                image.workdir = rest
                image.here.mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, target = rest.split()
                for source in sources:
                    _copy(context, source, image.here, target)
            case "RUN":
                image.run(["/bin/sh", "-c", rest])
            case "USER":
                image.user = tuple(map(int, rest.split(":")))  # type: ignore[assignment]
            case "EXPOSE":
                image.ports.append(int(rest))
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case "ENTRYPOINT":
                image.entrypoint = json.loads(rest)
            case "STOPSIGNAL":
                assert rest == "SIGTERM"
            case _:
                raise AssertionError(f"{name} is not understood")
    return image


def _copy(context: Path, pattern: str, here: Path, target: str) -> None:
    found = sorted(context.glob(pattern))
    assert found, f"COPY finds no {pattern}"
    for path in found:
        if path.is_dir():
            shutil.copytree(path, here / target)
        else:
            shutil.copy(path, here / target)


def _outside() -> dict[str, str]:
    """What a build needs of this machine: how to reach the package index."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    wanted = {name for name in os.environ if name.upper() in names or name.startswith(("PIP_", "UV_"))}
    return {name: os.environ[name] for name in wanted}
