from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import IO, Never

import numpy as np
import pytest

from aimonk.errors import FeatureStoreError, ModelError
from aimonk.training.finetuning.checkpoint import FILE, Checkpoint, read_checkpoint, write_checkpoint

CHECKPOINT = Checkpoint(
    identity="a training",
    epoch=3,
    best_epoch=2,
    iteration_losses=np.array([0.5, 0.25], np.float32),
    validation_losses=np.array([0.1]),
    validation_scores=np.array([]),
    model=tuple(np.full((1, 2), i, np.float32) for i in range(12)),
    best=(),
    optimizer=(np.array(7), np.ones((2, 3), np.float32)),
)


def test_round_trip(tmp_path: Path) -> None:
    """Values, types and order, of more arrays than have one digit."""
    write_checkpoint(tmp_path / "new", CHECKPOINT)
    got = read_checkpoint(tmp_path / "new", "a training")
    assert got is not None
    for field in dataclasses.fields(Checkpoint):
        mine, theirs = getattr(CHECKPOINT, field.name), getattr(got, field.name)
        if isinstance(mine, tuple):
            assert len(mine) == len(theirs)
            for one, other in zip(mine, theirs, strict=True):
                np.testing.assert_array_equal(one, other, strict=True)
        else:
            np.testing.assert_array_equal(mine, theirs)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


def test_no_checkpoint(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path, "a training") is None


def test_of_another_training(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, CHECKPOINT)
    with pytest.raises(ModelError, match="belongs to a training with other settings or data"):
        read_checkpoint(tmp_path, "another")


@pytest.mark.parametrize("cut", [0, 10, 300])
def test_damaged(tmp_path: Path, cut: int) -> None:
    write_checkpoint(tmp_path, CHECKPOINT)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[:cut])
    with pytest.raises(ModelError, match="is damaged"):
        read_checkpoint(tmp_path, "a training")


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path, CHECKPOINT)

    def full(file: IO[bytes], **arrays: np.ndarray) -> Never:
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(FeatureStoreError, match="No space left"):
        write_checkpoint(tmp_path, dataclasses.replace(CHECKPOINT, epoch=4))
    monkeypatch.undo()
    got = read_checkpoint(tmp_path, "a training")
    assert got is not None and got.epoch == 3
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
