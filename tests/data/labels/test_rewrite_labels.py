"""Filled labels are written in the format and the spelling that the labels came in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aimonk.config import LabelsConfig
from aimonk.data.labels import read_labels
from aimonk.data.labels.rewrite_labels import contradicted, rewrite_labels

CELLS = {("a.jpg", "red"): 1.0, ("b.jpg", "blue"): 0.0}


def rewritten(tmp_path: Path, name: str, content: bytes, config: LabelsConfig | None = None) -> bytes:
    (tmp_path / name).write_bytes(content)
    rewrite_labels(tmp_path / name, CELLS, tmp_path / f"out-{name}", config)
    return (tmp_path / f"out-{name}").read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"image,red,blue\na.jpg,NA,1\nb.jpg,0,NA\n", b"image,red,blue\na.jpg,1,1\nb.jpg,0,0\n"),
        (
            b"image;red;note;blue\r\na.jpg;;\"x; y\";yes\r\nb.jpg;no;;\r\n",
            b"image;red;note;blue\r\na.jpg;yes;\"x; y\";yes\r\nb.jpg;no;;no\r\n",
        ),
        (
            "\ufeffimage\tred\tblue\na.jpg\tNA\tTrue\nb.jpg\tFalse\tNA\n".encode(),
            "\ufeffimage\tred\tblue\na.jpg\tTrue\tTrue\nb.jpg\tFalse\tFalse\n".encode(),
        ),
        (
            "image,red,blue\na.jpg,?,1\nb.jpg,0,?\n".encode("utf-16"),
            "image,red,blue\na.jpg,1,1\nb.jpg,0,0\n".encode("utf-16"),
        ),
        (
            b"sep=;\nimage;red;blue\na.jpg;NA;1\nb.jpg;0;NA\n",
            b"sep=;\nimage;red;blue\na.jpg;1;1\nb.jpg;0;0\n",
        ),
    ],
)  # fmt: skip
def test_delimited_text_keeps_its_form(tmp_path: Path, before: bytes, after: bytes) -> None:
    config = LabelsConfig(ignore=("note",)) if b"note" in before else None
    assert rewritten(tmp_path, "labels.csv", before, config) == after


def test_text_keeps_its_blanks(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a.jpg   NA 1\n\nb.jpg\t0  NA\n")
    cells = {("a.jpg", "attr1"): 1.0, ("b.jpg", "attr2"): 0.0}
    form = rewrite_labels(tmp_path / "labels.txt", cells, tmp_path / "out.txt")
    assert form == "text separated by blanks"
    assert (tmp_path / "out.txt").read_text() == "a.jpg   1 1\n\nb.jpg\t0  0\n"


@pytest.mark.parametrize("kind", ["Int64", "boolean", "float64", "string"])
def test_parquet_keeps_its_types(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "red": [None, 0], "blue": [1, None]})
    frame = frame.astype({"red": "Int64", "blue": "Int64"}).astype({"red": kind, "blue": kind})
    frame.to_parquet(tmp_path / "labels.parquet")
    assert rewrite_labels(tmp_path / "labels.parquet", CELLS, tmp_path / "out.parquet") == "Parquet"
    again = pd.read_parquet(tmp_path / "out.parquet")
    assert (
        again.dtypes.astype(str).tolist()
        == pd.read_parquet(tmp_path / "labels.parquet").dtypes.astype(str).tolist()
    )
    assert read_labels(tmp_path / "out.parquet").targets.tolist() == [[1, 1], [0, 0]]


def test_another_format_becomes_csv(tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text(
        '{"image": "a.jpg", "red": null, "blue": 1}\n{"image": "b.jpg", "red": 0, "blue": null}\n'
    )
    assert rewrite_labels(tmp_path / "labels.jsonl", CELLS, tmp_path / "out.csv") == "CSV"
    assert read_labels(tmp_path / "out.csv").targets.tolist() == [[1, 1], [0, 0]]


def test_every_row_of_an_image_is_changed(tmp_path: Path) -> None:
    text = b"image,red,blue\na.jpg,NA,1\na.jpg,NA,NA\nb.jpg,0,NA\n"
    assert rewritten(tmp_path, "l.csv", text) == b"image,red,blue\na.jpg,1,1\na.jpg,1,NA\nb.jpg,0,0\n"


def test_a_label_in_dispute_is_found(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("image,red,blue\na.jpg,1,NA\na.jpg,0,NA\nb.jpg,0,1\n")
    assert contradicted(path) == {("a.jpg", "red")}
    path.write_text("image,red,blue\na.jpg,1,NA\nb.jpg,0,1\n")
    assert contradicted(path) == frozenset()
