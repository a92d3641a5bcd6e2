"""What a user can get wrong is one sentence, exit code 2, and no run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Twelve colored images with two attributes."""
    desk = Desk(tmp_path)
    (tmp_path / "images").mkdir()
    draw = np.random.default_rng(0)
    for number in range(12):
        pixels = draw.integers(0, 256, (40, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.jpg")
    labels(desk, "\n".join(f"{number}.jpg {number % 2} {number // 6}" for number in range(12)))
    return desk


def labels(desk: Desk, text: str) -> None:
    (desk.folder / "labels.txt").write_text(text + "\n")


def edited(change: Callable[[list[str]], list[str]]) -> Callable[[Desk], None]:
    def edit(desk: Desk) -> None:
        labels(desk, "\n".join(change((desk.folder / "labels.txt").read_text().splitlines())))

    return edit


def spoil_images(desk: Desk) -> None:
    for number in range(3):
        (desk.folder / "images" / f"{number}.jpg").write_text("not an image")


CASES: dict[str, tuple[Callable[[Desk], object], tuple[str, ...], str]] = {
    "no such folder": (lambda desk: None, ("--data", "nowhere"), "no folder nowhere"),
    "empty folder": (lambda desk: (desk.folder / "empty").mkdir(), ("--data", "empty"), "empty"),
    "unknown token": (
        edited(lambda rows: [*rows[:4], "4.jpg maybe 0", *rows[5:]]),
        (),
        "labels.txt, line 5: 'maybe'",
    ),
    "unequal rows": (edited(lambda rows: [*rows[:2], "2.jpg 1", *rows[3:]]), (), "line 3"),
    "all labels NA": (
        edited(lambda rows: [f"{row.split()[0]} NA NA" for row in rows]),
        (),
        "holds no known label",
    ),
    "no positive": (
        edited(lambda rows: [f"{row.split()[0]} 0 0" for row in rows]),
        (),
        "None of the 2 attributes",
    ),
    "path outside": (edited(lambda rows: ["../labels.txt 1 0", *rows[1:]]), (), "../labels.txt"),
    "too many bad images": (spoil_images, (), "3 of the 12 images that"),
    "unknown backbone": (lambda desk: None, ("--backbone", "resnet51"), "did you mean resnet50"),
    "missing weights": (lambda desk: None, ("--weights", "nowhere.h5"), "no weights file nowhere.h5"),
    "weights that do not fit": (
        lambda desk: (desk.folder / "bad.h5").write_bytes(b"nothing"),
        ("--backbone", "mobilenet@0.25", "--weights", "bad.h5"),
        "bad.h5 does not fit backbone mobilenet@0.25",
    ),
    "unknown setting": (lambda desk: None, ("--set", "training.epoch=3"), "no setting training.epoch"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_one_sentence_exit_code_2_and_no_run(case: str, desk: Desk) -> None:
    prepare, arguments, said = CASES[case]
    prepare(desk)
    data = () if "--data" in arguments else ("--data", "images")
    weights = () if "--weights" in arguments else ("--weights", "none")
    done = desk.aimonk("train", *data, *weights, *arguments, "--json")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("Error: ")
    assert said in message
    assert "Traceback" not in done.stderr
    assert runs_in(desk) == 0


@pytest.mark.slow
def test_an_unwritable_store_is_found_before_anything_is_trained(desk: Desk) -> None:
    blocked = desk.folder / "blocked"
    blocked.write_text("a file where a folder should be")
    done = desk.aimonk(
        *("train", "--data", "images", "--weights", "none", "--backbone", "mobilenet@0.25"),
        MLFLOW_TRACKING_URI=f"sqlite:///{blocked / 'mlflow.db'}",
    )
    assert done.returncode == 2
    assert "tracking store" in done.stderr
    assert "Traceback" not in done.stderr


def runs_in(desk: Desk) -> int:
    path = desk.folder / "mlflow.db"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as database:
        return int(database.execute("select count(*) from runs").fetchone()[0])
