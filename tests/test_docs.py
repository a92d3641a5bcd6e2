"""The site: its commands, options and settings exist, and the blocks that are marked are run in order."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from aimonk.cli import app
from aimonk.config import Config
from tests.conftest import ROOT

DOCS = ROOT / "docs"
GENERATED = DOCS / "reference" / "command_line.md"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page != GENERATED)
FENCE = re.compile(r"(<!-- run -->\n)?```(\w+)\n(.*?)```", re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def blocks(page: Path, *languages: str, marked: bool = False) -> list[tuple[str, str]]:
    """(language, text) of the code blocks of a page."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [
        (language, text) for mark, language, text in found if language in languages and (mark or not marked)
    ]


def calls(text: str) -> list[tuple[str, list[str]]]:
    """(command, its options) of every call of aimonk in shell code or in a line of prose."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"\baimonk ([a-z][a-z-]*)((?:[^\n|;&`]|`(?!\w))*)", joined)
    return [(command, re.findall(r"(?<!\S)--[a-z][a-z-]*", rest)) for command, rest in found]


def mentions(page: Path) -> list[tuple[str, list[str]]]:
    text = page.read_text(encoding="utf-8")
    prose = FENCE.sub("", text)
    inline = [
        call
        for code in re.findall(r"`([^`\n]+)`", prose)
        if code.startswith("aimonk ")
        for call in calls(code)
    ]
    return [*(call for _, code in blocks(page, "bash") for call in calls(code)), *inline]


def options() -> dict[str, set[str]]:
    """The options of every command, by its name."""
    group = typer.main.get_command(app)
    return {
        name: {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    known = options()
    for command, given in mentions(page):
        assert command in known, f"{name_of(page)} names aimonk {command}"
        for option in given:
            assert option in known[command], f"{name_of(page)} gives {option} to aimonk {command}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_option_in_prose_belongs_to_some_command(page: Path) -> None:
    known = set().union(*options().values()) | {"--env-manager"}  # mlflow's own
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for option in re.findall(r"`(--[a-z][a-z-]*)", prose):
        assert option in known, f"{name_of(page)} names {option}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    known = Config().flat()
    sections = {setting.split(".")[0] for setting in known}
    text = page.read_text(encoding="utf-8")
    for setting in re.findall(rf"(?:`|--set '?)((?:{'|'.join(sections)})\.[a-z_]+)", text):
        if setting in ("labels.csv", "labels.txt"):  # files
            continue
        assert setting in known, f"{name_of(page)} names the setting {setting}"
    for _, toml in blocks(page, "toml"):
        tomllib.loads(toml)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_blocks_are_python(page: Path) -> None:
    for _, code in blocks(page, "python"):
        compile(code, str(page), "exec")


def test_the_calls_of_a_line_are_found() -> None:
    assert calls("aimonk audit --data x \\\n  --labels y | tail --lines 1; aimonk score --out z") == [
        ("audit", ["--data", "--labels"]),
        ("score", ["--out"]),
    ]
    assert calls("pip install 'aimonk[spark]'") == []


def test_the_command_line_is_described_from_the_app() -> None:
    specification = importlib.util.spec_from_file_location("command_line", DOCS / "command_line.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    page = module.render()
    for command, known in options().items():
        described = page.split(f"## aimonk {command}\n")[1].split("\n## ")[0]
        assert all(f"`{option}" in described for option in known - {"--help"} if option.startswith("--"))


def script(page: Path) -> str:
    """The marked blocks of a page as one script that stops at the first command that fails."""
    parts = ["set -euo pipefail"]
    for language, text in blocks(page, "bash", "python", marked=True):
        parts.append(f"python - <<'PYTHON'\n{text}PYTHON" if language == "python" else text)
    return "\n".join(parts)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if "<!-- run -->" in page.read_text()], ids=name_of)
def test_marked_blocks_run(page: Path, tmp_path: Path, shared: Path) -> None:
    models = tmp_path / "keras" / "models"  # where Keras keeps what it has downloaded
    models.mkdir(parents=True)
    shutil.copy(shared / "weights" / "mobilenet_2_5_224_tf_no_top.h5", models)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "KERAS_HOME": str(tmp_path / "keras"),
        "AIMONK_STORE": str(tmp_path / "store"),
        "AIMONK_GRAPHS": str(tmp_path / "graphs"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        ["bash", "-c", script(page)], cwd=work, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("docs", "aimonk"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "mkdocs.yml", copy / "mkdocs.yml")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    for command in (["docs/command_line.py"], ["-m", "zensical", "build", "--strict"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=copy, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    pages = {page.relative_to(copy / "site").as_posix() for page in (copy / "site").rglob("*.html")}
    assert {"index.html", "tutorial/index.html", "reference/command_line/index.html"} <= pages
    hosts = {
        address
        for page in (copy / "site").rglob("*.html")
        for address in re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)', page.read_text()
        )
    }
    assert hosts == set()  # the site loads nothing from other hosts


def test_doctest_lines_are_fenced_for_the_site() -> None:
    specification = importlib.util.spec_from_file_location("doctest_blocks", DOCS / "doctest_blocks.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    text = "Add.\n\n    >>> add(1,\n    ...     1)  # doctest: +SKIP\n    2\n\nMore."
    fenced = "Add.\n\n    ```python\n    >>> add(1,\n    ...     1)\n    2\n    ```\n\nMore."
    assert module.fence(text) == fenced
