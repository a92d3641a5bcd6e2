"""Labels that a model filled in are listed beside the file, and never pass for a person's."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimonk.data.labels import read_labels
from aimonk.data.labels.filled_cells import (
    FilledCell,
    companion,
    filled_csv,
    read_filled,
    set_filled_apart,
)
from aimonk.errors import LabelsError

CELL = FilledCell("a, b.jpg", "red", 1, 0.97, 0.95, "models:/m/3", "out-of-fold")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text('image,red,blue\n"a, b.jpg",1,0\nc.jpg,0,1\n')
    return path


def test_what_is_listed_is_read_again(labels: Path) -> None:
    companion(labels).write_bytes(filled_csv([CELL]))
    assert read_filled(labels) == (CELL,)


def test_without_a_list_nothing_is_filled(labels: Path) -> None:
    assert read_filled(labels) == ()
    assert set_filled_apart(read_labels(labels)).filled is None


def test_a_filled_cell_is_missing_and_kept_apart(labels: Path) -> None:
    companion(labels).write_bytes(filled_csv([CELL]))
    table = set_filled_apart(read_labels(labels))
    assert table.targets.tolist() == [[-1, 0], [0, 1]]
    assert table.filled is not None
    assert table.filled.tolist() == [[1, -1], [-1, -1]]
    assert "1 labels were filled in by a model (labels.csv.filled.csv)" in table.read_as.sentences()[-1]


def test_what_a_person_changed_since_is_the_persons(labels: Path) -> None:
    companion(labels).write_bytes(filled_csv([CELL]))
    labels.write_text('image,red,blue\n"a, b.jpg",0,0\nc.jpg,0,1\n')
    assert set_filled_apart(read_labels(labels)).targets.tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    "text", ["", "image,attribute\na,b\n", filled_csv([CELL]).decode().replace(",1,", ",2,")]
)
def test_a_damaged_list_is_an_error_in_one_sentence(labels: Path, text: str) -> None:
    companion(labels).write_text(text or "\x00\n\x00\n")
    with pytest.raises(LabelsError, match=r"labels\.csv\.filled\.csv should list the labels"):
        read_filled(labels)
