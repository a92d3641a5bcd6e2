from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aimonk.data.labels import MISSING, check_folder, find_labels, read_labels
from aimonk.errors import ImagesError, LabelsError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_whitespace_rows_have_no_header_and_every_spelling_of_a_label(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.txt", "image_0.jpg 1 NA 0 1\n\nb/c.png\t1.0 0.0   nan ?\n")
    table = read_labels(path)
    assert table.source == path
    assert table.images == ("image_0.jpg", "b/c.png")
    assert table.attributes == ("attr1", "attr2", "attr3", "attr4")
    assert table.targets.dtype == np.float32
    assert table.targets.tolist() == [[1, -1, 0, 1], [1, 0, -1, -1]]
    assert table.split is None


def test_a_first_row_whose_name_is_no_image_is_a_row_and_not_a_header(tmp_path: Path) -> None:
    table = read_labels(write(tmp_path / "labels.txt", "../labels.txt 1 0\nimage_1.jpg 0 1\n"))
    assert table.images == ("../labels.txt", "image_1.jpg")
    assert table.targets.tolist() == [[1, 0], [0, 1]]
    named = read_labels(write(tmp_path / "named.txt", "image 1 2\nimage_1.jpg 0 1\n"))
    assert named.attributes == ("1", "2")


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
        "floats": [1.0, float("nan"), 0.0],
        "truths": [True, False, None],
        "words": ["NA", "0", "1"],
        "split": ["train", "valid", "test"],
    }
    parquet.write_table(pa.table(columns), tmp_path / "labels.parquet")
    table = read_labels(tmp_path / "labels.parquet")
    assert table.images == ("a.jpg", "b.jpg", "c.jpg")
    assert table.attributes == ("integers", "floats", "truths", "words")
    assert table.targets.tolist() == [[1, 1, 1, -1], [0, -1, 0, 0], [-1, 0, -1, 1]]
    assert table.split == ("train", "validation", "test")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.txt", "a.jpg 1 0\nb.jpg 1 maybe\n", r"labels.txt, line 2: 'maybe' is not a label"),
        (
            "labels.txt",
            "a.jpg 1 0\n\nb.jpg 1\n",
            r"labels.txt, line 3: there are 2 values where 3 are expected",
        ),
        (
            "labels.txt",
            "a.jpg 1\nb.jpg 2\n",
            r"line 2: '2' is not a label .* labels.present, labels.absent",
        ),
        ("labels.txt", "", "holds no rows"),
        ("labels.txt", "a.jpg\nb.jpg\n", "holds no attribute"),
        ("labels.txt", "a.jpg NA nan\nb.jpg ? NA\n", "all of them are NA"),
        ("labels.txt", "a.jpg 1 0\nb.jpg -1 1\n", "either 0 or -1 may mean absent"),
        ("labels.csv", "image,red\n", "holds no rows"),
        ("labels.csv", "", "holds no rows"),
        ("labels.csv", "image,red,red\na.jpg,1,0\n", "two columns are named 'red'"),
        ("labels.csv", "image,red,\na.jpg,1,0\n", "column 3 has no name"),
        ("labels.csv", "image,red\na.jpg,1\n,0\n", "line 3: the image's name is empty"),
        ("labels.csv", "image,red,split\na.jpg,1,third\n", "line 2: 'third' is not a set"),
        ("labels.csv", 'image,red\n"a\nb.jpg",1\nc.jpg,maybe\n', "line 4: 'maybe' is not a label"),
        ("labels.csv", "left,right,red\na.jpg,b.jpg,1\n", "labels.image.* labels.ignore"),
        ("labels.csv", "image,tags,red\na.jpg,x|y,1\nb.jpg,x,0\n", "labels.tags .* labels.attributes"),
        ("labels.csv", "image,tags\na.jpg,x|y\nb.jpg,\n", r'labels.absent=\[""\] or labels.unknown=\[""\]'),
        ("labels.csv", "image,tags\na.jpg,T shirt\nb.jpg,dress\n", "labels.separator"),
        ("labels.csv", "image,color\na.jpg,red\nb.jpg,blue\n", "labels.tags"),
        ("labels.json", '{"image": "a.jpg", "red": 1}\n{"image"', "line 2 is not JSON"),
        ("labels.xlsx", "PK\x03\x04", "cannot be read as an Excel workbook"),
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
    (tmp_path / "labels.txt").write_bytes(bytes(range(256)))
    with pytest.raises(LabelsError, match="not a text file"):
        read_labels(tmp_path / "labels.txt")


def test_labels_are_found_in_the_folder_then_beside_it_text_first(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(ImagesError, match="is empty"):
        find_labels(images)
    (images / "a.jpg").touch()
    with pytest.raises(LabelsError, match="no labels.txt, labels.csv or"):
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
