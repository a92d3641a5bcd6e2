from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aimonk.sweeping.trials import read_trial, write_trial

from .conftest import make_trial


def test_mean_score_and_typical_epochs() -> None:
    trial = make_trial(0, (0.5, 0.7, 0.9), epochs=(4, 30, 10))
    assert trial.scores == (0.5, 0.7, 0.9)
    assert trial.score == pytest.approx(0.7)
    assert trial.epochs == 10


def test_what_is_written_is_read(tmp_path: Path) -> None:
    trial = make_trial(7, (0.5, 0.25), {"training.l2": 0.1, "training.scale_features": True}, pruned=True)
    write_trial(tmp_path / "t.npz", trial)
    again = read_trial(tmp_path / "t.npz")
    assert again is not None
    assert (again.number, again.settings, again.pruned, again.scores) == (
        7,
        {"training.l2": 0.1, "training.scale_features": True},
        True,
        (0.5, 0.25),
    )
    assert (again.started, again.ended) == (1007.0, 1007.5)
    for kept, fold in zip(again.folds, trial.folds, strict=True):
        np.testing.assert_array_equal(kept.validation, fold.validation)
        np.testing.assert_array_equal(kept.test, fold.test)
        assert kept.best_epoch == 3
    assert again.history.epoch_steps == (2, 4)
    assert again.history.validation_losses == (0.5, 0.375)
    assert again.history.iteration_losses.tolist() == [0.75, 0.25, 0.5, 0.125]
    assert [path.name for path in tmp_path.iterdir()] == ["t.npz"]


@pytest.mark.parametrize("damage", ["absent", "short", "flipped", "empty"])
def test_a_damaged_file_is_no_trial(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "t.npz"
    write_trial(path, make_trial(0, (0.5,)))
    data = bytearray(path.read_bytes())
    if damage == "absent":
        path.unlink()
    elif damage == "short":
        path.write_bytes(data[:-40])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        data[data.index("settings".encode("utf-32-le"))] ^= 1  # as numpy stores text
        path.write_bytes(data)
    assert read_trial(path) is None
