"""Corrected labels: which training they come from, and what a new one has gained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from aimonk.data.dataset import Dataset
from aimonk.data.file_traits import FileTraits
from aimonk.evaluation.held_out import HeldOutScores
from aimonk.reviewing.answer_book import Answer
from aimonk.reviewing.answer_journal import journal_path
from aimonk.reviewing.review_record import write_record
from aimonk.reviewing.reviewed_training import (
    ReviewedTraining,
    compare_with_reviewed,
    reviewed_training,
    same_folds,
)
from aimonk.tracking.predictions_table import log_predictions
from aimonk.tracking.tracked_run import tracked_run

N = 200
FOLDS = np.arange(N) % 4
NAMES = tuple(f"{number}.png" for number in range(N))
DIGESTS = tuple(f"{number:064x}" for number in range(N))


def make_dataset(
    targets: np.ndarray, groups: np.ndarray | None = None, digests: tuple[str, ...] = DIGESTS
) -> Dataset:
    not_audited: Any = None
    rows = np.arange(N) if groups is None else groups
    paths = tuple(map(Path, NAMES))
    no_traits = FileTraits.of(())
    return Dataset(
        Path(), Path("c.csv"), ("scarf",), NAMES, paths, digests, targets, rows, None, no_traits, not_audited
    )


def scores(targets: np.ndarray, skill: float, seed: int, folds: np.ndarray = FOLDS) -> HeldOutScores:
    """Scores that know so much of the right label, which is 1 for every other image."""
    truth = (np.arange(N) % 2)[:, None]
    logits = skill * (truth - 0.5) + np.random.default_rng(seed).normal(size=(N, 1))
    probabilities = 1 / (1 + np.exp(-logits))
    rows = np.arange(N)
    half = np.full((N, 1), 0.5)
    return HeldOutScores(("scarf",), NAMES, DIGESTS, rows, folds, targets, logits, probabilities, half)


@pytest.fixture
def right() -> np.ndarray:
    return (np.arange(N) % 2).astype(np.float32)[:, None]


@pytest.fixture
def wrong(right: np.ndarray) -> np.ndarray:
    """Every tenth label is wrong."""
    given = right.copy()
    given[::10] = 1 - given[::10]
    return given


def answers(given: np.ndarray, right: np.ndarray, rows: list[int], control: bool) -> tuple[Answer, ...]:
    return tuple(
        Answer(
            entry=f"{control}{row}",
            time="2026-01-01",
            reviewer="ann",
            image=f"{row}.png",
            sha256="",
            attribute="scarf",
            answer="present" if right[row, 0] else "absent",
            queue="suspects",
            label=int(given[row, 0]),
            probability=0.5,
            control=control,
            doubted=not control,
            known=N,
            run="first",
        )
        for row in rows
    )


def test_a_better_training_is_seen_under_each_kind_of_labels(wrong: np.ndarray, right: np.ndarray) -> None:
    doubted = list(range(0, N, 20))
    rest = np.random.default_rng(5).permutation([row for row in range(N) if row not in doubted])
    reviewed = answers(wrong, right, doubted, False) + answers(wrong, right, rest[:150].tolist(), True)
    corrected = wrong.copy()
    for one in reviewed:
        row = int(one.image.removesuffix(".png"))
        corrected[row] = right[row]
    former = ReviewedTraining("first", scores(wrong, 1.0, 1), reviewed)
    dataset = make_dataset(corrected)
    found = compare_with_reviewed(former, dataset, scores(corrected, 4.0, 2))
    assert found is not None
    assert (found.run, found.changed, found.same_folds) == ("first", int((corrected != wrong).sum()), True)
    compared = found.comparison
    assert compared.corrected.difference.low > 0
    assert compared.given.difference.value < compared.corrected.difference.value
    assert compared.right.difference.low > 0
    assert compared.right.first.errors == sum(row % 20 == 10 for row in rest[:150])


def test_labels_that_are_the_same_need_no_comparison(right: np.ndarray) -> None:
    former = ReviewedTraining("first", scores(right, 1.0, 1), ())
    assert compare_with_reviewed(former, make_dataset(right), scores(right, 4.0, 2)) is None


def test_other_folds_are_said(wrong: np.ndarray, right: np.ndarray) -> None:
    former = ReviewedTraining("first", scores(wrong, 1.0, 1), ())
    again = scores(right, 4.0, 2, folds=(FOLDS + 1) % 4)  # other numbers, the same folds
    found = compare_with_reviewed(former, make_dataset(right), again)
    assert found is not None and found.same_folds
    other = compare_with_reviewed(
        former, make_dataset(right), scores(right, 4.0, 2, folds=np.arange(N) // 50)
    )
    assert other is not None and not other.same_folds
    assert np.isnan(other.comparison.right.difference.value)


def test_folds_are_taken_over_where_they_divide_the_images(right: np.ndarray) -> None:
    former = ReviewedTraining("first", scores(right, 1.0, 1, folds=3 * FOLDS), ())
    dataset = make_dataset(right)
    numbers = same_folds(former, dataset, 4)
    assert numbers is not None
    assert numbers.tolist() == FOLDS.tolist()
    assert same_folds(former, dataset, 5) is None
    groups = np.arange(N)
    groups[1] = 0  # a copy that was not known as one
    assert same_folds(former, make_dataset(right, groups=groups), 4) is None
    assert same_folds(former, make_dataset(right, digests=("new",) * N), 4) is None


def test_the_training_is_found_in_the_store(
    tmp_path: Path, store: MlflowClient, right: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    labels = tmp_path / "corrected.csv"
    assert reviewed_training(labels) is None
    with tracked_run("aimonk", "reviewed") as run:
        log_predictions(run, scores(right, 1.0, 1))
    write_record(labels, run.id, journal_path(tmp_path / "labels.csv"))
    found = reviewed_training(labels)
    assert found is not None
    assert found.scores.targets.tolist() == right.tolist()
    write_record(labels, "0" * 32, journal_path(tmp_path / "labels.csv"))
    assert reviewed_training(labels) is None
    assert "which cannot be compared" in caplog.text
