from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from aimonk.data.labels import MISSING, check_folder, find_labels, read_labels, resolve
from aimonk.errors import ImagesError, LabelsError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_whitespace_rows_have_no_header_and_every_spelling_of_a_label(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.txt", "image_0.jpg 1 NA 0 1\n\nb/c.png\t1.0 0.0   nan -1\n")
    table = read_labels(path)
    assert table.source == path
    assert table.images == ("image_0.jpg", "b/c.png")
    assert table.attributes == ("attr1", "attr2", "attr3", "attr4")
    assert table.targets.dtype == np.float32
    assert table.targets.tolist() == [[1, -1, 0, 1], [1, 0, -1, -1]]
    assert table.split is None


@pytest.mark.parametrize(("suffix", "comma"), [("csv", ","), ("tsv", "\t")])
def test_headed_rows_name_attributes_and_the_split_column_is_not_one(
    tmp_path: Path, suffix: str, comma: str
) -> None:
    rows = [
        "\ufeffimage,red,split,long sleeves",
        "a b.jpg,1,train,",
        '"c.jpg",0,VAL, NaN ',
        "",
        "d.jpg,NA,test,1",
    ]
    path = tmp_path / f"labels.{suffix}"
    path.write_text("\r\n".join(rows).replace(",", comma), encoding="utf-8")
    table = read_labels(path)
    assert table.images == ("a b.jpg", "c.jpg", "d.jpg")
    assert table.attributes == ("red", "long sleeves")
    assert table.targets.tolist() == [[1, MISSING], [0, MISSING], [MISSING, 1]]
    assert table.split == ("train", "validation", "test")


def test_parquet_columns_of_any_type(tmp_path: Path) -> None:
    columns = {
        "file": ["a.jpg", "b.jpg", "c.jpg"],
        "integers": pa.array([1, 0, None], pa.int8()),
        "floats": [1.0, float("nan"), -1.0],
        "truths": [True, False, None],
        "words": ["NA", "0", "1"],
        "split": ["train", "valid", "test"],
    }
    parquet.write_table(pa.table(columns), tmp_path / "labels.parquet")
    table = read_labels(tmp_path / "labels.parquet")
    assert table.images == ("a.jpg", "b.jpg", "c.jpg")
    assert table.attributes == ("integers", "floats", "truths", "words")
    assert table.targets.tolist() == [[1, 1, 1, -1], [0, -1, 0, 0], [-1, -1, -1, 1]]
    assert table.split == ("train", "validation", "test")


NAMES = st.text(st.characters(categories=["L", "N"], include_characters='_- ,"'), min_size=1).filter(
    lambda name: name.strip() == name
)
CELLS = st.sampled_from(
    [("1", 1.0), ("0", 0.0), ("1.0", 1.0), ("0.0", 0.0), ("NA", -1.0), ("", -1.0), ("-1", -1.0)]
)


@given(st.data())
def test_what_is_written_as_csv_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    width = data.draw(st.integers(1, 4))
    rows = data.draw(
        st.lists(st.tuples(NAMES, st.lists(CELLS, min_size=width, max_size=width)), min_size=1, max_size=6)
    )
    path = tmp_path_factory.mktemp("csv") / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *(f"label {column}" for column in range(width))])
        writer.writerows([name, *(token for token, _ in cells)] for name, cells in rows)
    expected = [[value for _, value in cells] for _, cells in rows]
    if all(value == MISSING for row in expected for value in row):
        with pytest.raises(LabelsError, match="all of them are NA"):
            read_labels(path)
    else:
        table = read_labels(path)
        assert table.images == tuple(name for name, _ in rows)
        assert table.targets.tolist() == expected


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.txt", "a.jpg 1 0\nb.jpg 1 yes\n", r"labels.txt, line 2: 'yes' is not a label"),
        ("labels.txt", "a.jpg 1 0\n\nb.jpg 1\n", r"labels.txt, line 3: 1 values follow .* 2 are expected"),
        ("labels.txt", "a.jpg 1\nb.jpg 2\n", r"line 2: '2' is not a label"),
        ("labels.txt", "image red\na.jpg 1\n", r"line 1: 'red' is not a label"),
        ("labels.txt", "", "holds no rows"),
        ("labels.txt", "a.jpg\nb.jpg\n", "holds no attribute"),
        ("labels.txt", "a.jpg NA nan\nb.jpg -1 NA\n", "all of them are NA"),
        ("labels.csv", "image,red\n", "holds no rows"),
        ("labels.csv", "", "holds no rows"),
        ("labels.csv", "image,red,red\na.jpg,1,0\n", "two columns are named 'red'"),
        ("labels.csv", "image,red,\na.jpg,1,0\n", "column 3 has no name"),
        ("labels.csv", "a.jpg,1,NA\nb.jpg,0,1\n", "has no header line"),
        ("labels.csv", "image,red\na.jpg,1\n,0\n", "line 3: the image's name is empty"),
        ("labels.csv", "image,red,split\na.jpg,1,holdout\n", "line 2: 'holdout' is not a set"),
        ("labels.csv", 'image,red\n"a\nb.jpg",1\nc.jpg,x\n', "line 4: 'x' is not a label"),
        ("labels.parquet", "not parquet", "cannot be read as Parquet"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(LabelsError, match=said) as raised:
        read_labels(write(tmp_path / name, text))
    assert str(tmp_path / name) in str(raised.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="no labels file"):
        read_labels(tmp_path / "labels.txt")
    (tmp_path / "labels.txt").write_bytes(b"caf\xe9.jpg 1\n")
    with pytest.raises(LabelsError, match="not UTF-8"):
        read_labels(tmp_path / "labels.txt")


def test_labels_are_found_in_the_folder_then_beside_it_text_first(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(ImagesError, match="is empty"):
        find_labels(images)
    (images / "a.jpg").touch()
    with pytest.raises(LabelsError, match="no labels.txt or labels.csv"):
        find_labels(images)
    for path in (
        tmp_path / "labels.csv",
        tmp_path / "labels.txt",
        images / "labels.csv",
        images / "labels.txt",
    ):
        path.touch()
        assert find_labels(images) == path


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="no folder"):
        check_folder(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ImagesError, match="not a folder"):
        check_folder(tmp_path / "file")


def test_names_stay_inside_the_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (tmp_path / "database").mkdir()
    (data / "inner").symlink_to("deep")
    (data / "outer.jpg").symlink_to(tmp_path / "secret.jpg")
    os.symlink(tmp_path, data / "up")
    assert resolve(data, "a.jpg") == data / "a.jpg"
    assert resolve(data, "deep/../b.jpg") == data / "b.jpg"
    assert resolve(data, "inner/c.jpg") == data / "deep/c.jpg"
    for name in (
        "../secret.jpg",
        "../database/a.jpg",
        str(data / "a.jpg"),
        "outer.jpg",
        "up/secret.jpg",
        ".",
        "a/../..",
    ):
        with pytest.raises(LabelsError, match="lies outside"):
            resolve(data, name)
    with pytest.raises(LabelsError, match="is no file name"):
        resolve(data, "a\0b.jpg")


def test_a_folder_reached_by_a_link_is_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert resolve(tmp_path / "link", "a.jpg") == tmp_path / "real/a.jpg"
