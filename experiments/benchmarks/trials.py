"""Commands run and timed as a user runs them, contestants taken in turn, and what came of it as a table."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
Result = TypeVar("Result")

SHARED = Path(os.environ.get("AIMONK_SHARED", ROOT.parent / "shared"))
WEIGHTS = SHARED / "weights" / "mobilenet_2_5_224_tf_no_top.h5"


@dataclass(frozen=True)
class Finished:
    """A process that has ended well."""

    seconds: float
    """Wall clock, from its start to its end."""
    peak: float
    """Largest resident memory of the process itself, MB."""
    output: str
    processor: float = 0.0
    """Seconds of all cores together: what it takes even where other processes share the machine."""

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object on the last line of what it printed."""
        answer: dict[str, Any] = json.loads(self.output.splitlines()[-1])
        return answer


@dataclass(frozen=True)
class Place:
    """A folder with a feature store and a tracking store of its own, in which commands are run."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the user's own stores or settings of MLflow."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        return {
            **kept,
            "AIMONK_STORE": str(self.folder / "store"),
            "AIMONK_GRAPHS": str(self.folder / "graphs"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }

    def python(self, *arguments: object) -> Finished:
        """Run Python in a new process; SystemExit with what it said if it fails."""
        command = [sys.executable, *map(str, arguments)]
        log = self.folder / "stderr.txt"
        with log.open("w") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            output = process.stdout.read()  # type: ignore[union-attr]
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text()[-3000:]}")
        return Finished(seconds, usage.ru_maxrss / 1024, output, usage.ru_utime + usage.ru_stime)

    def aimonk(self, *arguments: object) -> Finished:
        """Run a command of aimonk."""
        return self.python("-m", "aimonk", *arguments)

    def forget_runs(self) -> None:
        """Start with a new tracking store."""
        (self.folder / "mlflow.db").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "mlruns", ignore_errors=True)


@contextmanager
def new_place() -> Iterator[Place]:
    """A place in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="aimonk-benchmark-") as folder:
        yield Place(Path(folder))


def arguments(documentation: str | None, repeats: int = 5) -> argparse.ArgumentParser:
    """The options that all of these scripts have."""
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "aimonk" / "images")
    parser.add_argument("--repeats", type=int, default=repeats)
    return parser


def in_turn(contestants: Mapping[str, Callable[[], Result]], repeats: int) -> dict[str, list[Result]]:
    """Each contestant's results, all contestants once per repeat, so that a busy minute hits them alike."""
    results: dict[str, list[Result]] = {name: [] for name in contestants}
    for repeat in range(repeats):
        for name, measure in contestants.items():
            began = time.perf_counter()
            results[name].append(measure())
            taken = time.perf_counter() - began
            print(f"{repeat + 1}/{repeats} {name}: {taken:.1f} s", file=sys.stderr, flush=True)
    return results


def copies(sources: Path, folder: Path, count: int) -> Path:
    """So many image files with bytes of their own: the sources in turn, each with a number after its end."""
    folder.mkdir(parents=True)
    files = sorted(path for path in sources.iterdir() if path.is_file())
    for number, source in enumerate(islice(cycle(files), count)):
        data = source.read_bytes() + f"{number:08d}".encode()
        (folder / f"image_{number}{source.suffix}").write_bytes(data)
    return folder


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Markdown; the first column is text, the others are numbers, shown with three digits or more."""
    print("|" + "|".join(f" {name} " for name in header) + "|")
    print("|:---|" + "---:|" * (len(header) - 1))
    for row in rows:
        print("|" + "|".join(f" {_shown(cell)} " for cell in row) + "|", flush=True)


def medians(results: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each contestant's results."""
    return {name: median(values) for name, values in results.items()}


def spread(values: Sequence[float]) -> str:
    """Smallest to largest."""
    return f"{_shown(min(values))} to {_shown(max(values))}"


def _shown(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
