"""`aimonk fill` with a model small enough to reckon by hand: `red` is the share of red in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from aimonk.commands.fill import fill
from aimonk.config import Config, DataConfig
from aimonk.data.dataset import read_dataset
from aimonk.data.labels.filled_cells import companion, read_filled
from aimonk.errors import ConfigError, LabelsError
from aimonk.evaluation.held_out import HeldOutScores
from aimonk.results.fill_result import FillResult
from aimonk.runtime.record import read_info
from aimonk.serving.scored_model import ScoredModel

from ..serving.conftest import plain_image

KNOWN, MISSING = 200, 60
SETTINGS = ("data.near_duplicates=-1",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures half of which are red; the labels of the last ones are not known."""
    photos = tmp_path / "photos"
    photos.mkdir()
    lines = ["image,red,note"]
    for number in range(KNOWN + MISSING):
        red = number % 2
        name = f"{number:03}.png"
        (photos / name).write_bytes(plain_image(250 * red, number % 256, number // 256))
        lines.append(f"{name},{red if number < KNOWN else 'NA'},n{number}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return photos


@pytest.fixture
def model(folder: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> ScoredModel:
    """Held-out scores of the images with labels: 0.99 for red ones, 0.01 for the others."""
    config = Config(data=DataConfig(near_duplicates=-1))
    data = read_dataset(folder, folder.parent / "labels.csv", config, keep_unlearnable=True)
    column = data.attributes.index("red")
    targets = data.targets[:KNOWN, [column, column]]
    probabilities = np.where(targets == 1, 0.99, 0.01)
    numbers = np.arange(KNOWN)
    scores = HeldOutScores(
        ("red", "dark"), data.names[:KNOWN], data.digests[:KNOWN], numbers, numbers % 5,
        targets, probabilities, probabilities, probabilities,
    )  # fmt: skip
    scored = ScoredModel("models:/m/1", "run", package, read_info(package), scores)
    monkeypatch.setattr(ScoredModel, "open", staticmethod(lambda uri: scored))
    return scored


def filled(folder: Path, out: Path, **options: Any) -> FillResult:
    given: dict[str, Any] = {"precision": 0.9, "miss": 0.1, "settings": SETTINGS}
    return fill("models:/m/1", folder, folder.parent / "labels.csv", out=out, **given | options)


def test_what_can_be_vouched_for_is_filled_and_listed(
    folder: Path, model: ScoredModel, store: MlflowClient, tmp_path: Path
) -> None:
    """A red picture has expit(1.5) = 0.82, others expit(-1) = 0.27: both lie between the thresholds."""
    out = tmp_path / "filled.csv"
    found = filled(folder, out)
    assert found.cells == ()
    assert found.attributes[0].present == 0.99
    assert out.read_text() == (tmp_path / "labels.csv").read_text()
    assert read_filled(out) == ()


def test_held_out_images_are_filled_with_their_own_score(
    folder: Path, model: ScoredModel, store: MlflowClient, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    text = labels.read_text().replace("003.png,1,", "003.png,NA,").replace("004.png,0,", "004.png,?,")
    text = text.replace("005.png,1,", "005.png,NA,")
    labels.write_text(text)
    told: list[FillResult] = []
    out = tmp_path / "filled.csv"

    def announce(result: FillResult) -> None:
        told.append(result)
        _nothing_there(out)

    found = filled(folder, out, announce=announce)
    assert [(c.image, c.attribute, c.value, c.source) for c in found.cells] == [
        ("003.png", "red", 1, "out-of-fold"),
        ("004.png", "red", 0, "out-of-fold"),
        ("005.png", "red", 1, "out-of-fold"),
    ]
    assert len(told) == 1 and told[0].run_id == ""
    table = pd.read_csv(out, dtype=str, keep_default_na=False).set_index("image")
    assert table.loc["003.png"].tolist() == ["1", "n3"]
    assert table.loc["004.png", "red"] == "0"
    assert table.loc[f"{KNOWN}.png", "red"] == "NA"
    assert read_filled(out) == found.cells
    run = store.get_run(found.run_id)
    assert run.data.metrics["filled"] == 3
    assert {a.path for a in store.list_artifacts(found.run_id)} >= {"fill.json", "filled_cells.csv"}
    # read again, filled cells are nobody's label, and a second fill starts from the labels of people
    again = fill(
        "models:/m/1", folder, out, out=tmp_path / "again.csv", precision=0.9, miss=0.1, settings=SETTINGS
    )
    assert again.cells == found.cells
    assert again.attributes == found.attributes
    assert (tmp_path / "again.csv").read_text() == out.read_text()


def _nothing_there(out: Path) -> None:
    assert not out.exists() and not companion(out).exists()


def test_an_earlier_fill_that_no_longer_holds_is_undone(
    folder: Path, model: ScoredModel, store: MlflowClient, tmp_path: Path
) -> None:
    labels, out = tmp_path / "labels.csv", tmp_path / "filled.csv"
    labels.write_text(labels.read_text().replace("003.png,1,", "003.png,NA,"))
    filled(folder, out)
    undone = fill("models:/m/1", folder, out, out=out, precision=0.999, miss=0.001, settings=SETTINGS)
    assert undone.cells == ()
    assert out.read_text() == labels.read_text()
    assert read_filled(out) == ()


def test_nothing_is_left_behind_where_the_file_cannot_be_written(
    folder: Path, model: ScoredModel, store: MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LabelsError, match="cannot be written to"):
        filled(folder, tmp_path / "taken" / "filled.csv")


def test_images_that_nobody_held_out_cannot_be_vouched_for(
    folder: Path, model: ScoredModel, store: MlflowClient, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_bytes(plain_image(1, 2, 3))
    (tmp_path / "other.csv").write_text("image,red\na.png,1\n")
    with pytest.raises(LabelsError, match="None of the images in .* was held out"):
        fill("models:/m/1", other, tmp_path / "other.csv", out=tmp_path / "out.csv")
    (tmp_path / "other.csv").write_text("image,huge\na.png,1\n")
    with pytest.raises(LabelsError, match="none of the model's attributes, such as 'red'"):
        fill("models:/m/1", other, tmp_path / "other.csv", out=tmp_path / "out.csv")


def test_a_promise_must_be_one(folder: Path) -> None:
    with pytest.raises(ConfigError, match="precision must lie between 0 and 1, not 1.5"):
        fill("models:/m/1", folder, out="x.csv", precision=1.5)


def test_the_summary_says_what_is_promised_and_why_not_more(
    folder: Path, model: ScoredModel, store: MlflowClient, tmp_path: Path
) -> None:
    text = " ".join(str(filled(folder, tmp_path / "filled.csv")).split())
    assert "0 of 60 missing labels can be vouched for, so nothing is filled." in text
    assert "There is no evidence that it was learned: dark." in text
