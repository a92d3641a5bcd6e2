"""The rules of the layout: imports run downwards, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "aimonk"
LAYERS = (
    {"errors", "config", "chatter", "cluster", "__init__"},
    {"data"},
    {"features"},
    {"training"},
    {"evaluation", "reporting"},
    {"tracking", "serving"},
    {"stages"},
    {"learners", "gate", "outcome"},
    {"publishing"},
    {"workflow", "using"},
    {"sweeping"},
    {"cli", "__main__"},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
TENSORFLOW = {"tensorflow", "keras"}
MAY_IMPORT = {
    "tensorflow": ("features/engines.py", "features/backbones.py", "training/"),
    "keras": ("features/engines.py", "features/backbones.py", "training/"),
    "mlflow": ("tracking/", "serving/"),
    "pyspark": ("cluster.py", "serving/score_spark.py"),
}
BARE = ("data/", "serving/predictor.py")
"""Copied into served models, or used before anything heavy is loaded."""

SOURCES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, is ours) of every import in a file, also those inside functions; not those for types only."""
    found: list[tuple[str, bool]] = []
    depth = len(path.relative_to(PACKAGE).parts)
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                found.append((node.module or "", False))
            elif node.level == depth:  # reaches the package's root
                names = [node.module] if node.module else [alias.name for alias in node.names]
                found += [(name, True) for name in names]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downwards(path: Path) -> None:
    own = LEVEL[part_of(path)]
    for module, ours in imports(path):
        assert module.split(".")[0] != "aimonk", (
            f"{path} names the package: models ship it under another name"
        )
        if ours:
            above = LEVEL.get(module.split(".")[0], 0)
            assert above <= own, f"{path} imports {module}, which lies above it"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for module, ours in imports(path):
        library = module.split(".")[0]
        if not ours and library in MAY_IMPORT:
            assert place.startswith(MAY_IMPORT[library]), f"{place} imports {library}"
            assert not place.startswith(BARE), f"{place} imports {library}"


@pytest.mark.parametrize("arguments", (["--help"], ["train", "--help"], ["audit", "--help"]))
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from aimonk.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'pandas', 'openvino', 'matplotlib', 'sklearn'}\n"
        "heavy |= {'pyspark'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
