from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from aimonk.commands import review as command
from aimonk.commands.review import review
from aimonk.data.labels import read_labels
from aimonk.errors import ConfigError, ModelError
from aimonk.evaluation.held_out import HeldOutScores
from aimonk.reviewing.review_session import ReviewSession
from aimonk.tracking.predictions_table import log_predictions
from aimonk.tracking.tracked_run import tracked_run

IMAGES = 60


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    draw = np.random.default_rng(0)
    names = [f"{number:02d}.png" for number in range(IMAGES)]
    for name in names:
        blocks = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((80, 60), Image.Resampling.NEAREST).save(folder / name)
    rows = [f"{name},{number % 2}" for number, name in enumerate(names)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,belt", *rows]))
    return folder


def logged(photos: Path, doubted: int) -> str:
    """A run that doubts the first labels and agrees with all others."""
    paths = sorted(photos.iterdir())
    targets = (np.arange(IMAGES) % 2).astype(np.float32)[:, None]
    agreed = np.where(targets == 1, 0.9, 0.1) + np.linspace(0, 0.05, IMAGES)[:, None]
    probabilities = np.where(np.arange(IMAGES)[:, None] < doubted, 1 - agreed, agreed)
    rows = np.arange(IMAGES)
    scores = HeldOutScores(
        attributes=("belt",),
        images=tuple(path.name for path in paths),
        digests=tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths),
        groups=rows,
        folds=rows % 5,
        targets=targets,
        logits=np.log(probabilities / (1 - probabilities)),
        probabilities=probabilities,
        thresholds=np.full((IMAGES, 1), 0.5),
    )
    with tracked_run("aimonk", "doubts") as run:
        log_predictions(run, scores)
    return run.id


def answer_all(wrong: set[str]) -> Callable[[ReviewSession, int], None]:
    """A reviewer in place of the page, who finds these labels wrong."""

    def serve(session: ReviewSession, port: int) -> None:
        for number, cell in enumerate(session.cells.values()):
            right = (cell.label == 1) != (cell.image in wrong)
            session.answer(cell.key, "present" if right else "absent", f"e{number}", "")

    return serve


def test_a_review_from_the_page_to_the_corrected_table(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, out = tmp_path / "labels.csv", tmp_path / "corrected.csv"
    before = labels.read_bytes()
    first, later = logged(photos, 10), logged(photos, 0)
    wrong = {f"{number:02d}.png" for number in range(6)}
    monkeypatch.setattr(command, "serve_page", answer_all(wrong))
    options: dict[str, Any] = {"run": first, "reviewer": "ann", "control_share": 0.8, "out": out}
    found = review(photos, labels, **options).to_json()
    assert labels.read_bytes() == before
    assert found["open"] == 0 and found["flipped"] == 6
    assert found["confirmed"] == found["cells"] - 6 and found["cells"] > 40
    assert found["reviewers"][0]["contradicted"] == 0
    targets = read_labels(out).targets[:, 0]
    assert targets.tolist() == [(n % 2) ^ (n < 6) for n in range(IMAGES)]
    client = MlflowClient()
    recorded = client.get_run(found["run_id"])
    assert recorded.data.tags["aimonk.training_run"] == first
    assert recorded.data.metrics["flipped"] == 6
    kept = {artifact.path for artifact in client.list_artifacts(found["run_id"])}
    assert {"review.json", "answers.jsonl", "corrected_labels.csv"} <= kept
    again = review(photos, labels, **options, page=False, against=later)
    assert again.to_json()["average_precision"] == found["average_precision"]
    assert again.to_json()["against"] == later
    given, corrected = again.comparison.given, again.comparison.corrected  # type: ignore[union-attr]
    assert given.difference.value > 0 > corrected.difference.value
    text = " ".join(str(again).split())
    assert "6 labels flipped" in text and "ann contradicted 0 of" in text
    assert "needs 5 wrong labels among all random controls, those that the model doubts included" in text


def test_the_labels_are_never_written_over(photos: Path, tmp_path: Path) -> None:
    run = logged(photos, 10)
    with pytest.raises(ConfigError, match="is the labels file itself"):
        review(photos, tmp_path / "labels.csv", run=run, out=photos / ".." / "labels.csv", page=False)


def test_a_run_on_other_photos_is_refused(photos: Path, tmp_path: Path) -> None:
    run = logged(photos, 10)
    for number, path in enumerate(sorted(photos.iterdir())):
        Image.new("RGB", (80, 60), (number, 2 * number, 3)).save(path)
    with pytest.raises(ModelError, match="scored no image in"):
        review(photos, tmp_path / "labels.csv", run=run, page=False)
