"""`aimonk suggest`: images of a folder without labels, and images whose labels have holes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from aimonk.commands.suggest import suggest
from aimonk.errors import ConfigError, ImagesError
from aimonk.evaluation.held_out import HeldOutScores
from aimonk.runtime.record import read_info
from aimonk.serving.scored_model import ScoredModel

from ..serving.conftest import plain_image

REDS = (0, 60, 100, 140, 250)
"""The logit of `red` is red / 100 - 1, so the third picture is the least sure one."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, red in enumerate(REDS):
        (photos / f"{number}.png").write_bytes(plain_image(red, 0, 50))
    (photos / "copy.png").write_bytes(plain_image(REDS[2], 0, 50))
    (photos / "broken.png").write_bytes(b"not a picture")
    return photos


@pytest.fixture(autouse=True)
def model(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = np.zeros((0, 2))
    scores = HeldOutScores(("red", "dark"), (), (), np.arange(0), np.arange(0), *[nothing] * 4)
    scored = ScoredModel("models:/m/1", "run", package, read_info(package), scores)
    monkeypatch.setattr(ScoredModel, "open", staticmethod(lambda uri: scored))


def test_an_unlabeled_folder(folder: Path, store: MlflowClient, tmp_path: Path) -> None:
    out = tmp_path / "next.csv"
    found = suggest("models:/m/1", folder, n=2, out=out, strategy="uncertain")
    # of the two equal pictures one counts; `dark` has the logit 0 everywhere
    assert {one.image for one in found.suggestions} <= {"2.png", "copy.png", "1.png", "3.png"}
    assert found.suggestions[0].image in ("2.png", "copy.png")
    assert found.suggestions[0].missing == 2
    assert found.pool == len(REDS)
    assert found.warnings == ("1 images cannot be read and are left out",)
    with out.open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert store.get_run(found.run_id).data.metrics["pool"] == len(REDS)
    assert "2 images to label next, of 5, by uncertain" in str(found)


def test_only_missing_labels_count(folder: Path, store: MlflowClient, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("image,red,dark\n0.png,0,0\n1.png,0,NA\n2.png,1,1\n3.png,1,0\n4.png,NA,1\n")
    found = suggest("models:/m/1", folder, labels, strategy="uncertain", settings=("data.max_unusable=1.0",))
    assert [(one.image, one.missing, one.attributes) for one in found.suggestions] == [
        ("1.png", 1, ("dark",)),
        ("4.png", 1, ("red",)),
    ]


def test_labels_that_have_no_hole(folder: Path, store: MlflowClient, tmp_path: Path) -> None:
    (folder / "broken.png").unlink()
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "image,red,dark\n" + "".join(f"{number}.png,{number % 2},{number // 3}\n" for number in range(5))
    )
    with pytest.raises(ImagesError, match="has all of its labels"):
        suggest("models:/m/1", folder, labels, strategy="random")


def test_an_unknown_strategy(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no strategy 'best'; known are random, uncertain"):
        suggest("models:/m/1", folder, strategy="best")


def test_tasks_for_label_studio_are_answered(folder: Path, store: MlflowClient, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("image,red,dark\n0.png,0,0\n1.png,1,NA\n2.png,1,1\n3.png,1,0\n4.png,NA,0\n")
    out = tmp_path / "tasks.json"
    options = ("data.max_unusable=1.0",)
    found = suggest("models:/m/1", folder, labels, out=out, strategy="uncertain", settings=options)
    tasks = {task["data"]["image"]: task["predictions"][0] for task in json.loads(out.read_text())}
    chosen = {name: one["result"][0]["value"]["choices"] for name, one in tasks.items()}
    address = "/data/local-files/?d=photos/"
    # the logit of dark is 0, that of red in the last picture 1.5; what is labeled stays
    assert chosen == {f"{address}1.png": ["red", "dark"], f"{address}4.png": ["red"]}
    assert {one["model_version"] for one in tasks.values()} == {"models:/m/1"}
    assert '<Choice value="dark"/>' in (tmp_path / "tasks.json.xml").read_text()
    assert f"Written to {out} and {out}.xml." in " ".join(str(found).split())


def test_a_table_or_tasks_can_be_written(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"next\.xlsx; give a file that ends in \.csv or \.json"):
        suggest("models:/m/1", folder, out=folder / "next.xlsx")
