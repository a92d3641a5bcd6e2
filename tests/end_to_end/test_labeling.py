"""The labeling loop on real photos: train, fill, suggest, and train again with what was filled."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.conftest import Trained

pytestmark = pytest.mark.slow


def labels_of(trained: Trained, name: str) -> Path:
    return trained.data.parent / name


def test_clothing_is_filled_and_suggested(clothing_model: Trained) -> None:
    desk, labels = clothing_model.desk, labels_of(clothing_model, "labels.csv")
    asked = ("--data", clothing_model.data, "--labels", labels, "--model", clothing_model.answer["model_uri"])
    found = desk.answer("fill", *asked, "--out", "filled.csv")
    assert 0 < found["filled"] < found["missing"] == 2589
    before = pd.read_csv(labels, dtype=str, keep_default_na=False)
    after = pd.read_csv(desk.folder / "filled.csv", dtype=str, keep_default_na=False)
    changed = before != after
    assert int(changed.to_numpy().sum()) == found["filled"]
    assert (before.to_numpy()[changed.to_numpy()] == "NA").all()
    with (desk.folder / "filled.csv.filled.csv").open() as lines:
        cells = list(csv.DictReader(lines))
    assert len(cells) == found["filled"]
    assert {cell["source"] for cell in cells} == {"out-of-fold"}
    audit = desk.answer("audit", "--data", clothing_model.data, "--labels", "filled.csv")
    assert sum(attribute["unknown"] for attribute in audit["attributes"]) >= 2589 - 100  # of usable images
    suggested = desk.answer("suggest", *asked, "--n", 5)
    assert len(suggested["suggestions"]) == 5


def test_clothing_says_what_more_labels_would_bring(clothing_model: Trained) -> None:
    curve = json.loads(json.dumps(clothing_model.answer["learning_curve"]))
    assert len(curve["images"]) == 5
    doubled = curve["mean"]["gains"][0]
    assert doubled["low"] <= doubled["value"] <= doubled["high"]
    assert 0 < doubled["value"] < 0.1


def test_the_original_data_set_is_not_filled(seed_model: Trained) -> None:
    """Nothing was learned of it, so nothing can be vouched for."""
    found = seed_model.desk.answer(
        *("fill", "--data", seed_model.data, "--labels", labels_of(seed_model, "labels.txt")),
        *("--model", seed_model.answer["model_uri"], "--out", "filled.txt", "--precision", 0.6),
    )
    assert found["filled"] == 0
    assert found["missing"] > 0
    original = labels_of(seed_model, "labels.txt").read_text()
    assert (seed_model.desk.folder / "filled.txt").read_text() == original
