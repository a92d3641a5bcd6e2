from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aimonk.commands.data_warnings import filled_in, warn_of_data
from aimonk.config import Config, LabelsConfig
from aimonk.data.split import Split


def dataset(targets: list[list[int]], **more: Any) -> Any:
    matrix = np.array(targets, np.float32)
    audit = SimpleNamespace(missing=(), unreadable=(), flat=())
    known: dict[str, Any] = {"unlearnable": (), "table": None, "split": None, "filled": None, **more}
    names = tuple(f"a{column}" for column in range(matrix.shape[1]))
    return SimpleNamespace(
        attributes=names, targets=matrix, groups=np.arange(len(matrix)), audit=audit, **known
    )


def test_a_class_that_the_split_keeps_out_of_the_training(caplog: pytest.LogCaptureFixture) -> None:
    """As where a data set for finding defects trains on good parts only."""
    data = dataset([[0, 1, 1], [0, 0, 1], [1, -1, 0]])
    split = Split(np.array([0, 1]), np.array([], int), np.array([2]))
    warn_of_data(data, (split,), Config())
    assert caplog.messages == [
        "No image of the training set is labeled present for 'a0', so nothing is learned of it; "
        "use split.kind=grouped for a split of aimonk's own",
        "No image of the training set is labeled absent for 'a2', so nothing is learned of it; "
        "use split.kind=grouped for a split of aimonk's own",
    ]


def test_folds_and_a_split_with_both_classes_need_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    data = dataset([[0], [1], [1], [0]])
    half = Split(np.array([0, 1]), np.array([], int), np.array([2, 3]))
    warn_of_data(data, (half,), Config())
    one_class = Split(np.array([1, 2]), np.array([], int), np.array([0, 3]))
    warn_of_data(data, (half, one_class), Config())
    assert caplog.messages == []


def test_what_becomes_of_labels_that_a_model_filled_in() -> None:
    filled = np.array([[1, -1], [0, -1]], np.float32)
    data = dataset([[-1, 0], [-1, 1]], filled=filled)
    ignore, weigh = (Config(labels=LabelsConfig(filled=use)) for use in ("ignore", "weigh"))
    assert filled_in(data, ignore) == (
        "2 labels were filled in by a model: training leaves them out (labels.filled), "
        "and no figure rests on them.",
    )
    assert "with the weight 0.5, and no figure" in filled_in(data, weigh)[0]
    assert filled_in(dataset([[0]]), weigh) == ()
