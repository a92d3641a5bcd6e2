"""What scores may replace, and what is never touched."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aimonk.errors import AimonkError
from aimonk.runtime.predictor import Predictor
from aimonk.serving.batch_scoring import score
from aimonk.serving.score_options import ScoreOptions
from aimonk.serving.scores_output import check_replaceable

from .conftest import plain_image

SHARD = "part-00000-of-00002.parquet"


@pytest.fixture
def predictor(package: Path) -> Iterator[Predictor]:
    with Predictor(package) as predictor:
        yield predictor


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(3):
        (tmp_path / "photos" / f"{number}.png").write_bytes(plain_image(200, 0, 0))
    return tmp_path / "photos"


@pytest.fixture
def few_characters() -> Iterator[None]:
    """Let the cells of CSV hold as much as Python does by default; reading labels allows for more."""
    before = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(before)


def unscored(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "stream", lambda _: pytest.fail("images were scored"))


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def scores(path: Path) -> None:
    pq.write_table(pa.table({"image": ["a"], "error": ["b"]}), path)


def of_spark(folder: Path) -> None:
    scores(folder / "part-00000-abc.snappy.parquet")


def of_other_columns(folder: Path) -> None:
    pq.write_table(pa.table({"image": ["a"], "label": [1]}), folder / SHARD)


def deeper_down(folder: Path) -> None:
    scores(folder / SHARD)
    (folder / "part-2026").mkdir()
    scores(folder / "part-2026" / SHARD)


def an_empty_folder(folder: Path) -> None:
    (folder / SHARD).mkdir()


def one_file_too_many(folder: Path) -> None:
    scores(folder / SHARD)
    (folder / ".part-00001-of-00002.parquet.crc").write_bytes(b"1")


def no_table(folder: Path) -> None:
    (folder / SHARD).write_bytes(b"part")


def a_link(folder: Path) -> None:
    scores(folder.parent / "mine.parquet")
    (folder / SHARD).symlink_to(folder.parent / "mine.parquet")


@pytest.mark.parametrize(
    "fill",
    [of_spark, of_other_columns, deeper_down, an_empty_folder, one_file_too_many, no_table, a_link],
)
def test_a_folder_that_holds_anything_but_shards_is_not_replaced(
    predictor: Predictor,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fill: Callable[[Path], None],
) -> None:
    out = tmp_path / "d.parquet"
    out.mkdir()
    fill(out)
    before = contents(tmp_path)
    unscored(predictor, monkeypatch)
    with pytest.raises(AimonkError, match=r"d\.parquet exists and is not a folder of scores; name another"):
        score(predictor, photos, out, ScoreOptions(shards=2))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".PARQUET"])
@pytest.mark.parametrize("format", ["long", "wide"])
def test_scores_are_replaced_by_scores(
    predictor: Predictor, photos: Path, tmp_path: Path, suffix: str, format: str
) -> None:
    file, folder = tmp_path / f"file{suffix}", tmp_path / f"folder{suffix}"
    folder.mkdir()  # an empty one
    for _ in range(2):
        score(predictor, photos, file, ScoreOptions(format=format))  # type: ignore[arg-type]
        score(predictor, photos, folder, ScoreOptions(format=format, shards=5))  # type: ignore[arg-type]
    assert len(list(folder.iterdir())) == 5  # two of three images' five shards are empty
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([file.name, folder.name, "photos"])


def test_a_shard_of_no_rows_has_columns(predictor: Predictor, photos: Path, tmp_path: Path) -> None:
    score(predictor, photos, tmp_path / "d.parquet", ScoreOptions(shards=5))
    tables = [pq.read_table(path) for path in sorted((tmp_path / "d.parquet").iterdir())]
    assert [len(table) for table in tables] == [0, 1, 0, 1, 1]
    assert pa.concat_tables(tables)["image"].to_pylist() == ["0.png", "1.png", "2.png"]


def test_a_file_and_a_folder_do_not_take_each_others_place(
    predictor: Predictor, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(predictor, photos, tmp_path / "file.csv")
    score(predictor, photos, tmp_path / "folder.csv", ScoreOptions(shards=2))
    before = contents(tmp_path)
    unscored(predictor, monkeypatch)
    with pytest.raises(AimonkError, match=r"folder\.csv is a folder, but one file is written"):
        score(predictor, photos, tmp_path / "folder.csv")
    with pytest.raises(AimonkError, match=r"file\.csv is a file, but shards are a folder"):
        score(predictor, photos, tmp_path / "file.csv", ScoreOptions(shards=2))
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "text", ["image,red\na.png,1\n", "", "error,image\n", "image,error," + "x" * 200_000]
)
def test_a_file_that_is_no_table_of_scores_is_not_overwritten(
    predictor: Predictor, photos: Path, tmp_path: Path, text: str, few_characters: None
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    with pytest.raises(AimonkError, match="exists and is no table of scores"):
        score(predictor, photos, labels)
    assert labels.read_text() == text


def test_shards_that_hold_the_images_are_not_replaced(predictor: Predictor, tmp_path: Path) -> None:
    out = tmp_path / "d.parquet"
    out.mkdir()
    pq.write_table(pa.table({"image": [plain_image(0, 0, 0)], "error": [""]}), out / SHARD)
    with pytest.raises(AimonkError, match="would replace the images"):
        score(predictor, out / SHARD, out, ScoreOptions(shards=2))


def test_shards_that_a_killed_call_left_half_written_are_not_kept(
    predictor: Predictor, photos: Path, tmp_path: Path
) -> None:
    left = tmp_path / ".d.csv.parts" / "shards"
    left.mkdir(parents=True)
    (left / "part-00000-of-00003.csv").write_text("image,error\n")
    score(predictor, photos, tmp_path / "d.csv", ScoreOptions(shards=2))
    assert len(list((tmp_path / "d.csv").iterdir())) == 2


def test_a_bucket_is_looked_at_likewise() -> None:
    memory = fsspec.filesystem("memory")
    try:
        memory.pipe_file("/bucket/d.csv/part-00000-of-00001.csv", b"image,error\n")
        check_replaceable("memory://bucket/d.csv", 1)
        memory.pipe_file("/bucket/d.csv/part-00000-of-00001.txt", b"image,error\n")
        with pytest.raises(AimonkError, match="is not a folder of scores"):
            check_replaceable("memory://bucket/d.csv", 1)
        with pytest.raises(AimonkError, match="is a folder, but one file"):
            check_replaceable("memory://bucket/d.csv", 0)
    finally:
        memory.rm("/bucket", recursive=True)
