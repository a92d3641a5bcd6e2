"""From a training with wrong labels over a review to a training on the corrected ones, on drawings."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from aimonk.commands import review as command
from aimonk.commands.review import review
from aimonk.commands.train import train
from aimonk.data.demo.draw_demo import draw_demo
from aimonk.reviewing.review_session import ReviewSession

from ..backbones.networks import convolutions, describe

SETTINGS = (
    "evaluation.folds=3",
    "evaluation.learning_curve=false",
    "training.epochs=5",
    "data.max_unusable=0.5",
    "labels.attributes=['red', 'stripes', 'long_skirt']",
)


def flipped(source: Path, out: Path, attribute: str, every: int) -> dict[str, str]:
    """Write labels of which every so many known ones of an attribute are wrong; the right ones by image."""
    with source.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    right = {}
    for number, row in enumerate(row for row in rows if row[attribute] in ("0", "1")):
        if number % every == 0:
            right[row["image"]] = row[attribute]
            row[attribute] = "1" if row[attribute] == "0" else "0"
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return right


def test_a_training_on_corrected_labels_knows_what_it_comes_from(
    tmp_path: Path, store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    source = draw_demo(photos, 60)
    right = flipped(source, tmp_path / "labels.csv", "stripes", 5)
    network = convolutions(tmp_path / "model.onnx")
    describe(tmp_path)
    options: dict[str, Any] = {"settings": SETTINGS, "backbone": str(network), "register": "drawings"}
    first = train(photos, tmp_path / "labels.csv", **options)
    assert first.review is None
    assert first.to_json()["review"] is None

    def answer(session: ReviewSession, port: int) -> None:
        for number, cell in enumerate(session.cells.values()):
            if cell.label is not None and cell.attribute == "stripes":
                wrong = cell.image in right
                present = (cell.label == 1) != wrong
                session.answer(cell.key, "present" if present else "absent", f"e{number}", "")

    monkeypatch.setattr(command, "serve_page", answer)
    corrected = tmp_path / "corrected.csv"
    reviewed = review(
        photos,
        tmp_path / "labels.csv",
        run=first.run_id,
        out=corrected,
        settings=SETTINGS,
        control_share=0.8,
    )
    assert reviewed.corrections.flipped > 0
    second = train(photos, corrected, **options)
    found = second.review
    assert found is not None
    assert (found.run, found.same_folds) == (first.run_id, True)
    assert found.changed == reviewed.corrections.flipped
    assert found.comparison.right.first.controls > 20
    told = " ".join(str(second).split())
    assert f"The labels come from a review of run {first.run_id}" in told
    assert "on the same images and folds" in told
    run = store.get_run(second.run_id)
    assert run.data.tags["aimonk.reviewed_run"] == first.run_id
    difference = found.comparison.corrected.difference.value
    assert run.data.metrics["review_mAP_new_labels"] == pytest.approx(difference)
    kept = json.loads(mlflow.artifacts.load_text(f"runs:/{second.run_id}/review_comparison.json"))
    assert kept["changed"] == found.changed
    assert "After the review" in mlflow.artifacts.load_text(f"runs:/{second.run_id}/report.html")
