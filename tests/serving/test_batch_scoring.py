from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aimonk.errors import AimonkError, ConfigError, ImagesError
from aimonk.runtime.predictor import Predictor
from aimonk.serving.batch_scoring import ScoringResult, score
from aimonk.serving.score_options import ScoreOptions
from tests.conftest import ROOT

from .conftest import plain_image

DARK = 0.6224593312018546  # 1 / (1 + exp(-0.5)): no blue at all


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


@pytest.fixture(scope="module")
def predictor(package: Path) -> Iterator[Predictor]:
    with Predictor(package, throughput=True) as predictor:
        yield predictor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good images, one of them deeper down, one bad, and files that are not images."""
    images = tmp_path / "images"
    (images / "b").mkdir(parents=True)
    (images / "c.jpg").write_bytes(plain_image(200, 0, 0))
    (images / "b" / "x.PNG").write_bytes(plain_image(0, 0, 0))
    (images / "a.jpeg").write_bytes(b"no image")
    (images / "labels.txt").write_text("c.jpg 1 0")
    (images / ".hidden.png").write_bytes(plain_image(0, 0, 0))
    return images


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A table of 1,300 images: three parts."""
    images = [plain_image(number % 256, 0, 0, side=1) for number in range(1300)]
    pq.write_table(pa.table({"image": images}), tmp_path / "many.parquet", row_group_size=400)
    return tmp_path / "many.parquet"


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_a_folder_becomes_a_table(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    out = tmp_path / "scores.parquet"
    result = score(predictor, folder, out, progress=lambda *step: seen.append(step))
    assert result == ScoringResult(
        str(out), 3, 1, skipped={"texts and tables": 1, "hidden or system files": 1}
    )
    rows = rows_of(out)
    assert [row["image"] for row in rows] == ["a.jpeg", "b/x.PNG", "c.jpg"]
    assert rows[0] == {
        "image": "a.jpeg", "predicted_attributes": [], "probabilities": [], "error": "not an image"
    }  # fmt: skip
    assert [row["predicted_attributes"] for row in rows[1:]] == [["dark"], ["red", "dark"]]
    np.testing.assert_allclose(rows[2]["probabilities"], [sigmoid(1), DARK], atol=1e-6)
    assert rows[2]["error"] is None
    assert seen[-1] == (3, 3)
    assert sorted(path.name for path in tmp_path.iterdir() if "scores" in path.name) == ["scores.parquet"]


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
    assert rows == rows_of(tmp_path / "scores.parquet")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_wide_has_a_column_per_attribute(
    predictor: Predictor, folder: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"wide.{suffix}"
    score(predictor, folder, out, ScoreOptions(format="wide"))
    if suffix == "parquet":
        rows = rows_of(out)
    else:
        rows = list(csv.DictReader(out.open(newline="", encoding="utf-8")))
    assert list(rows[0]) == ["image", "error", "red", "dark"]
    assert rows[0]["red"] in (None, "") and rows[0]["error"] == "not an image"
    assert float(str(rows[2]["red"])) == pytest.approx(sigmoid(1), abs=1e-6)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_parquet_file_is_scored_row_by_row(predictor: Predictor, tmp_path: Path, kind: pa.DataType) -> None:
    reds = [number * 3 % 256 for number in range(75)]
    cells: list[bytes | None] = [plain_image(red, 0, 0) for red in reds]
    cells[40] = None
    columns = {
        "number": list(range(75)),
        "class": ["dress"] * 75,  # names no row
        "image": pa.array(cells, kind),
        "file": [f"photo {number}" for number in range(75)],
    }
    pq.write_table(pa.table(columns), tmp_path / "in.parquet", row_group_size=30)
    result = score(predictor, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert (result.images, result.unreadable) == (75, 1)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["image"].to_pylist() == columns["file"]
    assert table["error"].to_pylist()[40] == "there is no image"
    found = [row[0] for row in table["probabilities"].to_pylist() if row]
    np.testing.assert_allclose(found, [sigmoid(red / 100 - 1) for red in reds[:40] + reds[41:]], atol=1e-6)


@pytest.mark.parametrize(
    ("columns", "name", "expected"),
    [
        ({}, "", ["0", "1", "2"]),
        ({"class": ["a", "a", "b"]}, "", ["0", "1", "2"]),
        ({"class": ["a", "a", "b"]}, "class", ["a", "a (row 1)", "b"]),
        ({"id": [7, None, 7]}, "id", ["7", "row 1", "7 (row 2)"]),
    ],
)
def test_rows_have_names_of_their_own(
    predictor: Predictor, tmp_path: Path, columns: dict[str, list[object]], name: str, expected: list[str]
) -> None:
    pq.write_table(pa.table({"image": [plain_image(0, 0, 0)] * 3, **columns}), tmp_path / "in.parquet")
    score(predictor, tmp_path / "in.parquet", tmp_path / "out.parquet", ScoreOptions(name=name))
    assert [row["image"] for row in rows_of(tmp_path / "out.parquet")] == expected


def test_paths_and_structs_name_and_hold_images(predictor: Predictor, folder: Path) -> None:
    structs = [{"bytes": plain_image(200, 0, 0), "path": "p"}, {"bytes": None, "path": "c.jpg"}]
    expected = {"paths": ["c.jpg", "absent.png"], "structs": ["p", "c.jpg"]}
    absolute = [str(folder / "c.jpg"), f"file://{folder}/c.jpg"]
    for name, cells in (("paths", expected["paths"]), ("absolute", absolute), ("structs", structs)):
        pq.write_table(pa.table({"photo": cells}), folder / f"{name}.parquet")
        out = folder.parent / f"{name}.parquet"
        score(predictor, folder / f"{name}.parquet", out, ScoreOptions(image="photo"))
        rows = rows_of(out)
        assert [row["image"] for row in rows] == expected.get(name, absolute)
        assert [bool(row["error"]) for row in rows] == [False, name == "paths"]
        assert rows[0]["predicted_attributes"] == ["red", "dark"]


def test_shards_are_the_table_in_pieces(predictor: Predictor, many: Path, tmp_path: Path) -> None:
    score(predictor, many, tmp_path / "one.parquet")
    for _ in range(2):  # the second time they are replaced
        score(predictor, many, tmp_path / "shards.parquet", ScoreOptions(shards=3))
    paths = sorted((tmp_path / "shards.parquet").iterdir())
    assert [path.name for path in paths] == [f"part-0000{n}-of-00003.parquet" for n in range(3)]
    tables = [pq.read_table(path) for path in paths]
    assert [len(table) for table in tables] == [433, 433, 434]
    assert pa.concat_tables(tables).equals(pq.read_table(tmp_path / "one.parquet"))


def test_cells_that_a_spreadsheet_would_run_are_defused(predictor: Predictor, tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@x", "\tx", "x=1"]
    columns = {"image": [plain_image(0, 0, 0)] * 6, "name": names}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    score(predictor, tmp_path / "in.parquet", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        found = [row["image"] for row in csv.DictReader(file)]
    assert found == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "x=1"]
    score(predictor, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert [row["image"] for row in rows_of(tmp_path / "out.parquet")] == names


def test_odd_files_are_rows_too(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(folder), b"caf\xe9.png"), "wb") as file:
        file.write(plain_image(0, 0, 0))
    os.mkfifo(folder / "pipe.jpg")
    score(predictor, folder, tmp_path / "out.parquet")
    found = {row["image"]: row["error"] for row in rows_of(tmp_path / "out.parquet")}
    assert found["caf\\xe9.png"] is None
    assert found["pipe.jpg"] == "not a regular file"


def test_a_bucket_is_read_and_written(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(folder), "/bucket/images", recursive=True)
    local = score(predictor, folder, tmp_path / "a.parquet")
    try:
        remote = score(predictor, "memory://bucket/images", "memory://bucket/a.parquet")
        assert (remote.images, remote.unreadable) == (local.images, local.unreadable)
        found = pq.read_table(memory.open("/bucket/a.parquet")).to_pylist()
        assert found == rows_of(tmp_path / "a.parquet")
        assert not [path for path in memory.find("/bucket") if ".parts" in path]
        uri = f"file://{tmp_path}/b.parquet"
        assert score(predictor, f"file://{folder}", uri).images == 3
        assert rows_of(tmp_path / "b.parquet") == found
        score(predictor, "memory://bucket/a.parquet", tmp_path / "c.csv", ScoreOptions(image="image"))
        score(predictor, "memory://bucket/images", "memory://bucket/s.csv", ScoreOptions(shards=2))
        assert len(memory.find("/bucket/s.csv")) == 2
        with pytest.raises(ImagesError, match="no image file below memory://bucket/none"):
            memory.makedirs("/bucket/none")
            memory.pipe_file("/bucket/none/x.txt", b"")
            score(predictor, "memory://bucket/none", tmp_path / "c.csv")
    finally:
        memory.rm("/bucket", recursive=True)


def test_an_unknown_scheme_is_one_sentence(predictor: Predictor, tmp_path: Path) -> None:
    for uri in ("nowhere://a", "s3://bucket/a"):
        with pytest.raises(AimonkError, match="cannot be opened") as raised:
            score(predictor, uri, tmp_path / "out.csv")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["scores.txt", "scores"])
def test_another_suffix_is_refused(predictor: Predictor, folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(AimonkError, match=r"\.parquet or \.csv"):
        score(predictor, folder, tmp_path / name)


def test_data_that_is_no_data_is_one_sentence(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("text")
    pq.write_table(pa.table({"image": [7], "b": [1]}), tmp_path / "numbers.parquet")
    pq.write_table(pa.table({"b": [1]}), tmp_path / "other.parquet")
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), tmp_path / "none.parquet")
    for data, words in {
        "absent": "neither a folder nor a file",
        "empty": "no image file below",
        "text.parquet": "not a readable Parquet file",
        "numbers.parquet": "holds int64; images are bytes, paths, or structs",
        "other.parquet": "no column `image`; it has b",
        "none.parquet": "has no rows",
    }.items():
        with pytest.raises(ImagesError, match=words):
            score(predictor, tmp_path / data, tmp_path / "out.csv")
    assert not list(tmp_path.glob(".*"))


def test_the_images_are_never_replaced(predictor: Predictor, many: Path) -> None:
    before = many.read_bytes()
    link = many.with_name("link.parquet")
    link.symlink_to(many)
    hard = many.with_name("hard.parquet")
    hard.hardlink_to(many)
    for out in (many, link, hard, f"file://{many}", many.parent / "x" / ".." / many.name):
        with pytest.raises(AimonkError, match="would replace the images|no folder"):
            score(predictor, many, out)
    assert many.read_bytes() == before


def interrupted(
    predictor: Predictor, data: Path, out: Path, after: int, options: ScoreOptions | None = None
) -> None:
    def fail(done: int, _total: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(predictor, data, out, options, progress=fail)


def test_a_failure_leaves_the_old_table_and_is_resumed(
    predictor: Predictor, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "scores.csv"
    score(predictor, many, tmp_path / "whole.csv")
    old = "image,predicted_attributes,probabilities,error\n"
    out.write_text(old)
    interrupted(predictor, many, out, 600)
    assert out.read_text() == old
    decoded: list[object] = []
    decode = Predictor._decode

    def counted(predictor: Predictor, image: Any) -> Any:
        decoded.append(image)
        return decode(predictor, image)

    monkeypatch.setattr(Predictor, "_decode", counted)
    assert score(predictor, many, out).resumed == 1024
    assert len(decoded) == 1300 - 1024
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_parts_that_are_damaged_or_of_other_images_are_scored_again(
    predictor: Predictor, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.parquet"
    score(predictor, many, tmp_path / "whole.parquet")
    interrupted(predictor, many, out, 1024)
    second = sorted((tmp_path / ".scores.parquet.parts").glob("*.parquet"))[1]
    second.write_bytes(second.read_bytes()[:-1])
    assert score(predictor, many, out).resumed == 512
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    interrupted(predictor, many, out, 1024)
    pq.write_table(pa.table({"image": [plain_image(0, 0, 0)] * 1300}), many)
    assert score(predictor, many, out).resumed == 0
    assert {tuple(row["predicted_attributes"]) for row in rows_of(out)} == {("dark",)}


def test_without_resuming_nothing_of_an_interrupted_scoring_is_kept(
    predictor: Predictor, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.parquet"
    interrupted(predictor, many, out, 1024)
    pq.write_table(pa.table({"image": [plain_image(0, 0, 0)] * 700}), many)
    assert score(predictor, many, out, ScoreOptions(resume=False)).images == 700
    assert [row["predicted_attributes"] for row in rows_of(out)] == [["dark"]] * 700


def test_a_scoring_without_resuming_can_be_resumed(predictor: Predictor, many: Path, tmp_path: Path) -> None:
    interrupted(predictor, many, tmp_path / "a.csv", 600, ScoreOptions(resume=False))
    assert score(predictor, many, tmp_path / "a.csv").resumed == 1024


def test_two_processes_do_not_write_one_table(predictor: Predictor, many: Path, tmp_path: Path) -> None:
    def second(_done: int, _total: int) -> None:
        with pytest.raises(AimonkError, match="Another process is writing scores.csv"):
            score(predictor, many, tmp_path / "scores.csv")

    score(predictor, many, tmp_path / "scores.csv", progress=second)


def test_too_many_unreadable_images_count_as_a_failure(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    result = score(predictor, folder, tmp_path / "a.csv", ScoreOptions(max_unreadable=0.5))
    assert not result.failed
    result = score(predictor, folder, tmp_path / "a.csv", ScoreOptions(max_unreadable=0.3))
    assert result.failed and result.to_json()["failed"]
    assert (tmp_path / "a.csv").exists()
    assert result.summary() == [
        f"2 of 3 images were scored into {tmp_path / 'a.csv'}; 1 could not be read, and the column `error` "
        "says why.",
        "Skipped 2 files that are not images: hidden or system files (1), texts and tables (1).",
        "33.3% are unreadable, more than the 30.0% allowed.",
    ]


def test_what_is_said_when_no_image_could_be_read(predictor: Predictor, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"no image"] * 2}), tmp_path / "in.parquet")
    result = score(predictor, tmp_path / "in.parquet", tmp_path / "out.csv")
    assert str(result) == f"None of 2 images could be read; the column `error` of {result.out} says why."
    assert (result.to_json()["images"], result.to_json()["scored"], result.unreadable) == (2, 0, 2)
    assert not result.failed  # all may be unreadable, unless less is asked for


def test_columns_are_those_of_a_file(predictor: Predictor, folder: Path, tmp_path: Path) -> None:
    for options in (ScoreOptions(image="photo"), ScoreOptions(name="id")):
        with pytest.raises(ConfigError, match="images is a folder, which has no columns"):
            score(predictor, folder, tmp_path / "out.csv", options)
        with pytest.raises(ImagesError, match="neither a folder nor a file"):
            score(predictor, tmp_path / "absent", tmp_path / "out.csv", options)


def test_an_unwritable_place_is_one_sentence(predictor: Predictor, folder: Path) -> None:
    with pytest.raises(AimonkError, match="cannot be written.*there is no folder"):
        score(predictor, folder, folder / "absent" / "scores.csv")


@pytest.mark.slow
def test_killed_scorings_resume_to_the_same_table(package: Path, many: Path, tmp_path: Path) -> None:
    with Predictor(package, throughput=True) as predictor:
        score(predictor, many, tmp_path / "whole.parquet")
    code = (
        "import sys; from pathlib import Path\n"
        "from aimonk.runtime.predictor import Predictor\n"
        "from aimonk.serving.batch_scoring import score\n"
        "import time\n"
        "def slow(done, total): print(done, flush=True); time.sleep(0.2)\n"
        "predictor = Predictor(Path(sys.argv[1]), throughput=True)\n"
        "score(predictor, sys.argv[2], sys.argv[3], progress=slow)\n"
    )
    command = [sys.executable, "-c", code, str(package), str(many), str(tmp_path / "out.parquet")]
    for kills in range(3):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.07 * kills)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not list(tmp_path.glob(".*"))
