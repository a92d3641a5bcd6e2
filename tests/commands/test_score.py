"""`aimonk score`: what is refused before a model is fetched, and what an interrupted one says."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aimonk
from aimonk.errors import AimonkError, ConfigError
from tests.conftest import ROOT

from ..serving.conftest import plain_image


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """So many images that scoring them takes seconds."""
    pq.write_table(pa.table({"image": [plain_image(9, 0, 0)] * 100_000}), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_what_is_wrong_is_said_before_a_model_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(ConfigError, match="The option shards of a scoring is -1"):
        aimonk.score("absent", tmp_path, "x.csv", shards=-1)
    with pytest.raises(ConfigError, match="The option format of a scoring is 'x'"):
        aimonk.score("absent", tmp_path, "x.csv", format="x")  # type: ignore[arg-type]
    with pytest.raises(AimonkError, match="is a folder, but one file is written"):
        aimonk.score("absent", tmp_path, tmp_path / "d.csv")
    with pytest.raises(ConfigError, match="is a folder, which has no columns"):
        aimonk.score("absent", tmp_path, tmp_path / "e.csv", name="id")


@pytest.mark.parametrize(
    ("sent", "code", "more", "said"),
    [
        (signal.SIGINT, 130, [], "Interrupted. The same command resumes it."),
        (signal.SIGTERM, 143, [], "Interrupted. The same command resumes it."),
        (
            signal.SIGTERM,
            143,
            ["--no-resume"],
            "Interrupted. The same command without --no-resume resumes it.",
        ),
    ],
)
def test_an_interrupted_scoring_says_how_to_resume(
    package: Path, table: Path, sent: signal.Signals, code: int, more: list[str], said: str
) -> None:
    out = table.with_name("out.csv")
    command = [sys.executable, "-m", "aimonk", "score", "--model", str(package)]
    process = subprocess.Popen(
        [*command, "--data", str(table), "--out", str(out), *more],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    parts, deadline = table.with_name(".out.csv.parts"), time.monotonic() + 60
    while not list(parts.glob("0*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(sent)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert told.splitlines()[-1] == said
    assert list(parts.glob("0*.parquet"))
    assert not out.exists()
