"""What Spark writes is what one machine writes, row by row."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aimonk.errors import AimonkError, ClusterError, ImagesError
from aimonk.runtime.predictor import Predictor
from aimonk.serving import mlflow_model as model_code
from aimonk.serving.batch_scoring import score
from aimonk.serving.log_package import signature
from aimonk.serving.serving_environment import requirements
from aimonk.serving.shipped_code import copy_runtime
from aimonk.serving.spark_scoring import score_spark

from .conftest import plain_image

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def model(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as an MLflow model."""
    folder = tmp_path_factory.mktemp("model") / "model"
    code = copy_runtime(tmp_path_factory.mktemp("code"))
    mlflow.pyfunc.save_model(
        folder,
        code_paths=[str(code)],
        model_config={"runtime": code.name},
        python_model=model_code.__file__,
        artifacts={"package": str(package)},
        pip_requirements=requirements(),
        signature=signature(),
    )
    return folder


@pytest.fixture
def both(package: Path, model: Path, tmp_path: Path, master: str) -> Callable[[Path], tuple[Rows, Rows]]:
    """Score on one machine and on Spark, and read both tables."""

    def run(data: Path) -> tuple[Rows, Rows]:
        one, many = tmp_path / "one.parquet", tmp_path / "many.parquet"
        steps: list[tuple[int, int]] = []
        expected = score(Predictor(package), data, one)
        assert (
            dataclasses.replace(
                score_spark(model, data, many, master, progress=lambda *step: steps.append(step)),
                out=str(one),
            )
            == expected
        )
        assert all(0 <= done <= total for done, total in steps)
        assert pq.read_schema(many) == pq.read_schema(one)
        return pq.read_table(one).to_pylist(), pq.read_table(many).to_pylist()

    return run


@pytest.mark.slow
def test_a_folder_becomes_the_same_table(both: Callable[[Path], tuple[Rows, Rows]], tmp_path: Path) -> None:
    images = tmp_path / "images"
    (images / "deeper down").mkdir(parents=True)
    for red in range(0, 250, 5):
        (images / f"{red}.png").write_bytes(plain_image(red, 0, 250 - red))
    (images / "deeper down" / "ü %41.JPG").write_bytes(plain_image(9, 9, 9))
    (images / "bad.jpg").write_bytes(b"no image")
    (images / "labels.txt").write_text("0.png 1 0")
    with open(os.path.join(os.fsencode(images), b"caf\xe9.png"), "wb") as file:
        file.write(plain_image(1, 2, 3))
    one, many = both(images)
    assert len(many) == 53
    assert many == one
    assert [row["error"] for row in many if row["image"] == "bad.jpg"] == ["not an image"]


@pytest.mark.slow
@pytest.mark.parametrize("named", [True, False])
def test_a_parquet_file_becomes_the_same_table(
    both: Callable[[Path], tuple[Rows, Rows]], tmp_path: Path, named: bool
) -> None:
    images = [plain_image(red, 0, 0) for red in range(0, 200, 2)] + [None, b""]
    table = pa.table({"image": pa.array(images, pa.binary()), "rating": range(102)})
    if named:
        table = table.append_column("photo", pa.array([f"p{i % 7}" for i in range(101)] + [None]))
    pq.write_table(table, tmp_path / "images.parquet", row_group_size=10)
    one, many = both(tmp_path / "images.parquet")
    assert len(many) == 102
    assert many == one


@pytest.mark.slow
def test_paths_and_structs_become_the_same_table(
    both: Callable[[Path], tuple[Rows, Rows]], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(plain_image(9, 0, 0))
    image = plain_image(200, 0, 0)
    structs = [{"bytes": image, "path": "x"}, {"bytes": None, "path": "a.png"}]
    for name, cells in (("paths", ["a.png"]), ("structs", structs)):
        pq.write_table(pa.table({"image": cells}), tmp_path / f"{name}.parquet")
        one, many = both(tmp_path / f"{name}.parquet")
        assert many == one
        assert not [row for row in many if row["error"]]


@pytest.mark.slow
def test_a_model_that_fails_leaves_nothing_behind(model: Path, tmp_path: Path, master: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    next(broken.rglob("model.bin")).write_bytes(b"")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(plain_image(0, 0, 0))
    with pytest.raises(ClusterError, match="^The job failed on Spark: ") as raised:
        score_spark(broken, tmp_path / "images", tmp_path / "scores.csv", master)
    assert "Traceback" not in str(raised.value)
    assert not list(tmp_path.glob("*scores*"))


def test_what_cannot_be_scored_is_said_before_spark_starts(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimonk.serving.spark_scoring.spark_session", lambda *_: pytest.fail("Spark started"))
    with pytest.raises(ImagesError, match="neither a folder nor a file"):
        score_spark(model, tmp_path / "nowhere", tmp_path / "scores.csv", "local")
    (tmp_path / "a.png").write_bytes(plain_image(0, 0, 0))
    with pytest.raises(AimonkError, match=r"not '\.txt'"):
        score_spark(model, tmp_path, tmp_path / "scores.txt", "local")
