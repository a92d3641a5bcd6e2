from __future__ import annotations

from pathlib import Path

import pytest

from aimonk.data.dataset import Dataset
from aimonk.errors import LabelsError
from aimonk.reviewing.suggested_cells import read_suggestions


def test_cells_and_whole_images(dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "suggested.csv"
    path.write_text("image,attribute\nf.png,collar\nc.png,\na.png,belt\nz.png,belt\na.png,hat\n")
    assert read_suggestions(path, dataset) == [("f.png", "collar"), ("c.png", "collar")]
    assert "2 of 5 suggestions" in caplog.text


def test_a_file_without_images_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "suggested.csv"
    path.write_text("photo\nf.png\n")
    with pytest.raises(LabelsError, match="no column image"):
        read_suggestions(path, dataset)
    with pytest.raises(LabelsError, match="Cannot read"):
        read_suggestions(tmp_path / "gone.csv", dataset)
