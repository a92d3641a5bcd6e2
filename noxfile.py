"""Tasks of the project: `nox -s NAME`, or `nox` for all that a commit must pass. `nox -l` lists them.

They run in the environment that is activated, which the README's second command creates, so that a task
starts at once. Only `lowest` makes an environment of its own. `.ci/run` runs the same tasks.
"""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests", "docs"]
nox.options.stop_on_first_error = True


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and spelling."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("typos")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the fast tests; `nox -s tests -- tests/data` runs those of one room."""
    session.run("pytest", "-q", "-m", "not slow", *session.posargs)


@nox.session
def everything(session: nox.Session) -> None:
    """Run all tests, the slow ones too."""
    session.run("pytest", "-q", "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into `site/`; a warning is an error."""
    session.run("python", "docs/command_line.py")
    session.run("zensical", "build", "--strict", "--clean", *session.posargs)


@nox.session
def serve(session: nox.Session) -> None:
    """Show the site while it is written, on localhost."""
    session.run("python", "docs/command_line.py")
    session.run("zensical", "serve", *session.posargs)


@nox.session(venv_backend="uv", python="3.11")
def lowest(session: nox.Session) -> None:
    """Run the fast tests with the oldest version of each dependency that pyproject.toml allows."""
    pins = f"{session.create_tmp()}/lowest.txt"
    compile_ = ("uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--extra", "docs", "--quiet")
    session.run(*compile_, "--resolution", "lowest-direct", "--python-version", "3.11", "-o", pins)
    session.install("-r", pins, "--no-deps", "-e", ".")
    session.run("pytest", "-q", "-m", "not slow", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Update both requirements files to the newest versions that fit."""
    options = ("--universal", "--python-version", "3.11", "--no-annotate", "--no-emit-index-url", "--upgrade")
    header = ("--custom-compile-command", "nox -s lock")
    compile_ = ("uv", "pip", "compile", "pyproject.toml", *options, *header, "--quiet")
    session.run(*compile_, "-o", "requirements.txt")
    session.run(*compile_, "--extra", "dev", "--extra", "docs", "-o", "requirements-dev.txt")
