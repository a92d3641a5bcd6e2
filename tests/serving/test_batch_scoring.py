from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aimonk.errors import AimonkError, ImagesError
from aimonk.runtime.predictor import Predictor
from aimonk.serving.batch_scoring import Scored, score

from .conftest import plain_image

DARK = 0.6224593312018546  # 1 / (1 + exp(-0.5)): no blue at all


def sigmoid(logit: float) -> float:
    return 1 / (1 + np.exp(-logit))


@pytest.fixture(scope="module")
def predictor(package: Path) -> Predictor:
    return Predictor(package, throughput=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good images, one of them deeper down, one bad, and files that are no images."""
    images = tmp_path / "images"
    (images / "b").mkdir(parents=True)
    (images / "c.jpg").write_bytes(plain_image(200, 0, 0))
    (images / "b" / "x.PNG").write_bytes(plain_image(0, 0, 0))
    (images / "a.jpeg").write_bytes(b"no image")
    (images / "labels.txt").write_text("c.jpg 1 0")
    (images / ".hidden.png").write_bytes(plain_image(0, 0, 0))
    return images


def test_a_folder_becomes_a_table(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    out = tmp_path / "scores.parquet"
    assert score(predictor, folder, out, lambda *step: seen.append(step)) == Scored(images=3, unreadable=1)
    rows = pq.read_table(out).to_pylist()
    assert [row["image"] for row in rows] == ["a.jpeg", "b/x.PNG", "c.jpg"]
    assert rows[0] == {
        "image": "a.jpeg", "predicted_attributes": [], "probabilities": [], "error": "not an image"
    }  # fmt: skip
    assert [row["predicted_attributes"] for row in rows[1:]] == [["dark"], ["red", "dark"]]
    np.testing.assert_allclose(rows[2]["probabilities"], [sigmoid(1), DARK], atol=1e-6)
    assert rows[2]["error"] is None
    assert seen[-1] == (3, 3)


def test_csv_says_the_same(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    score(predictor, folder, tmp_path / "scores.parquet")
    score(predictor, folder, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            {
                "image": row["image"],
                "predicted_attributes": json.loads(row["predicted_attributes"]),
                "probabilities": json.loads(row["probabilities"]),
                "error": row["error"] or None,
            }
            for row in csv.DictReader(file)
        ]
    assert rows == pq.read_table(tmp_path / "scores.parquet").to_pylist()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_parquet_file_is_scored_row_by_row(
    predictor: Predictor, tmp_path: Path, named: bool, kind: pa.DataType
) -> None:
    reds = [number * 3 % 256 for number in range(75)]
    cells: list[bytes | None] = [plain_image(red, 0, 0) for red in reds]
    cells[40] = None
    columns = {"number": list(range(75)), "image": pa.array(cells, kind)}
    if named:
        columns["name"] = [f"photo {number}" for number in range(75)]
    pq.write_table(pa.table(columns), tmp_path / "in.parquet", row_group_size=30)
    assert score(predictor, tmp_path / "in.parquet", tmp_path / "out.parquet") == Scored(75, 1)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["image"].to_pylist() == [f"photo {number}" if named else str(number) for number in range(75)]
    assert table["error"].to_pylist()[40] == "the file is empty"
    found = [row[0] for row in table["probabilities"].to_pylist() if row]
    np.testing.assert_allclose(found, [sigmoid(red / 100 - 1) for red in reds[:40] + reds[41:]], atol=1e-6)


def test_more_images_than_one_write(predictor: Predictor, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [plain_image(0, 0, 0, side=1)] * 1100}), tmp_path / "in.parquet")
    assert score(predictor, tmp_path / "in.parquet", tmp_path / "out.csv") == Scored(1100, 0)
    assert (tmp_path / "out.csv").read_text().count("\n") == 1101


@pytest.mark.parametrize("name", ["scores.txt", "scores"])
def test_another_suffix_is_refused(predictor: Predictor, folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(AimonkError, match=r"\.parquet or \.csv"):
        score(predictor, folder, tmp_path / name)


def test_data_that_is_no_data_is_one_sentence(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("text")
    pq.write_table(pa.table({"image": ["text"], "b": [1]}), tmp_path / "strings.parquet")
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), tmp_path / "none.parquet")
    for data, words in {
        "absent": "neither a folder nor a file",
        "empty": "no image file below",
        "text.parquet": "not a readable Parquet file",
        "strings.parquet": "no binary column `image`; it has image, b",
        "none.parquet": "has no rows",
    }.items():
        with pytest.raises(ImagesError, match=words):
            score(predictor, tmp_path / data, tmp_path / "out.csv")


def test_a_failure_leaves_the_old_table(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    out.write_text("old")

    def fail(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(predictor, folder, out, fail)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.glob("*scores*")) == ["scores.csv"]


def test_an_unwritable_place_is_one_sentence(predictor: Predictor, folder: Path) -> None:
    with pytest.raises(AimonkError, match="cannot be written"):
        score(predictor, folder, folder / "absent" / "scores.csv")
