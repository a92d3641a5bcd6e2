"""The rules of the layout: imports run downwards, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "aimonk"
LAYERS = (
    {"runtime"},
    {"errors", "progress", "native_stderr", "threshold_rule", "background_import", "interruption", "recipes"},
    {"config", "config_file", "spark", "atomic_files", "scratch"},
    {"data", "backbones"},
    {"features", "evaluation"},
    {"training", "tracking"},
    {"serving", "sweeping", "reporting", "reviewing"},
    {"results"},
    {"publishing"},
    {"commands"},
    {
        "__init__",
        "cli_options",
        "cli_label_options",
        "cli_labeling",
        "cli_learning",
        "cli_models",
        "cli",
        "__main__",
    },
)
"""From the ground floor up. A room may import from its own floor and from those below it."""

FLOOR = {room: floor for floor, rooms in enumerate(LAYERS) for room in rooms}
MAY_IMPORT = {
    "tensorflow": ("features/engines.py", "backbones/build.py", "training/"),
    "keras": ("features/engines.py", "features/extractor.py", "backbones/", "training/"),
    "mlflow": ("tracking/", "serving/", "publishing/"),
    "pyspark": ("spark.py", "serving/spark_scoring.py"),
    "optuna": ("sweeping/",),
}
"""Typing imports count too: they say who knows whom."""

SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in SOURCES}


def room(module: str) -> str:
    return module.split("/")[0]


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, is ours) of every import in a file, inside functions and for types too.

    Ours are paths from the package's root, such as `data/labels`.
    """
    found: list[tuple[str, bool]] = []
    package = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((node.module or "", False))
        elif isinstance(node, ast.ImportFrom):
            base = (*package[: len(package) + 1 - node.level], *(node.module or "").split("."))
            place = "/".join(part for part in base if part)
            for alias in node.names:
                inner = f"{place}/{alias.name}".lstrip("/")
                found.append(
                    (next(m for m in (inner, place, f"{place}/__init__".lstrip("/")) if m in MODULES), True)
                )
    return found


GRAPH = {module: {name for name, ours in imports(path) if ours} for module, path in MODULES.items()}


def test_every_module_has_its_floor() -> None:
    unknown = {room(module) for module in MODULES} - FLOOR.keys()
    assert not unknown, f"LAYERS does not say where {unknown} belongs"
    assert not FLOOR.keys() - {room(module) for module in MODULES}, "LAYERS names a room that is gone"


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module: str) -> None:
    for lower in GRAPH[module] - {"__init__"}:  # the version
        assert FLOOR[room(lower)] <= FLOOR[room(module)], f"{module} imports {lower}, which lies above it"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: sorted(lower - {"__init__"}) for module, lower in GRAPH.items()}
    order = TopologicalSorter(graph)
    order.prepare()  # raises CycleError, which names the modules


def test_the_runtime_imports_nothing_else_of_the_package() -> None:
    for module in MODULES:
        if room(module) == "runtime":
            assert {room(lower) for lower in GRAPH[module]} <= {"runtime"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for module, ours in imports(path):
        library = module.split(".")[0]
        assert library != "aimonk" or ours, f"{place} imports its own package by name, not relatively"
        if not ours and library in MAY_IMPORT:
            assert place.startswith(MAY_IMPORT[library]), f"{place} imports {library}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_file_is_too_long_to_hold_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


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
