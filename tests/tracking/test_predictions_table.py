from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.tracking import MlflowClient

from aimonk.errors import ModelError
from aimonk.evaluation.held_out import HeldOutScores, matching_rows
from aimonk.tracking import predictions_table
from aimonk.tracking.predictions_table import log_predictions, read_predictions
from aimonk.tracking.tracked_run import tracked_run


def held_out(digests: tuple[str, ...], attributes: tuple[str, ...] = ("a.b", "label.c")) -> HeldOutScores:
    count, random = len(digests), np.random.default_rng(0)
    return HeldOutScores(
        attributes=attributes,
        images=tuple(f"{row}.jpg" for row in range(count)),
        digests=digests,
        groups=np.arange(count),
        folds=np.arange(count) % 2,
        targets=random.integers(-1, 2, (count, len(attributes))).astype(np.float32),
        logits=random.normal(size=(count, len(attributes))),
        probabilities=random.random((count, len(attributes))),
        thresholds=random.random((count, len(attributes))),
    )


@pytest.mark.parametrize("rows", [20_000, 3])
def test_what_is_logged_is_read(store: MlflowClient, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions_table, "ROWS", rows)
    told = held_out(tuple("abcdefgh"))
    with tracked_run("dresses") as run:
        log_predictions(run, told)
    read = read_predictions(run.id)
    for field in ("attributes", "images", "digests"):
        assert getattr(read, field) == getattr(told, field)
    for field in ("groups", "folds", "targets", "logits", "probabilities", "thresholds"):
        np.testing.assert_array_equal(getattr(read, field), getattr(told, field))
    assert read.targets.dtype == np.float32


def test_people_read_it_too(store: MlflowClient) -> None:
    told = held_out(tuple("ab"), ("sleeve",))
    told.targets[:, 0] = (1, -1)
    with tracked_run("dresses") as run:
        log_predictions(run, told)
    table = pd.read_parquet(
        mlflow.artifacts.download_artifacts(run_id=run.id, artifact_path="predictions.parquet")
    )
    own = ["label.sleeve", "probability.sleeve", "threshold.sleeve", "logit.sleeve"]
    assert list(table.columns) == ["image", "sha256", "group", "fold", *own]
    assert table["label.sleeve"][0] == 1
    assert pd.isna(table["label.sleeve"][1])


def test_a_run_without_a_table_is_one_sentence(store: MlflowClient) -> None:
    with tracked_run("dresses") as run:
        pass
    with pytest.raises(ModelError, match=r"keeps no predictions\.parquet"):
        read_predictions(run.id)


def test_rows_meet_by_digest() -> None:
    first, second = matching_rows(held_out(("x", "a", "b", "a")), held_out(("b", "q", "a", "b")))
    assert first.tolist() == [1, 2, 3]
    assert second.tolist() == [2, 0, 2]


@given(st.lists(st.sampled_from("abcde")), st.lists(st.sampled_from("abcdef")))
def test_matching_rows_have_equal_digests(first: list[str], second: list[str]) -> None:
    one, other = matching_rows(held_out(tuple(first)), held_out(tuple(second)))
    assert [first[row] for row in one] == [second[row] for row in other]
    assert len(one) == sum(digest in second for digest in first)
