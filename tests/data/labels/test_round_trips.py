"""A random table, written in any format and dialect, reads back equal, or its reader asks."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from aimonk.data.labels import LabelTable, read_labels, write_labels
from aimonk.data.labels.sets import COLUMNS
from aimonk.data.labels.tokens import is_label
from aimonk.errors import LabelsError

WORDS = st.text(
    st.characters(categories=["L"], include_characters="_- ,;'()é"), min_size=2, max_size=9
).filter(
    # a column `split` holds sets, and a column of nothing but `off` holds labels
    lambda word: word.strip() == word and not is_label(word) and word.casefold() not in COLUMNS
)
SPELLINGS = (
    {1: "1", 0: "0", -1: "NA"},
    {1: "1.0", 0: "0.0", -1: ""},
    {1: "yes", 0: "no", -1: "?"},
    {1: "True", 0: "False", -1: "None"},
    {1: "Y", 0: "N", -1: "n/a"},
    {1: "1", 0: "-1", -1: "nan"},
)
FORMATS = ["csv", "semicolon", "tab", "bar", "utf-16", "txt", "parquet", "jsonl", "json", "xlsx", "canonical"]


@st.composite
def tables(draw: st.DrawFn) -> LabelTable:
    words = WORDS.filter(lambda word: word != "image")  # two columns of one name are no table
    attributes = draw(st.lists(words, min_size=1, max_size=4, unique_by=str.casefold))
    names = draw(st.lists(WORDS, min_size=1, max_size=6, unique_by=str.casefold))
    cells = st.sampled_from([1.0, 0.0, -1.0])
    targets = draw(
        st.lists(
            st.lists(cells, min_size=len(attributes), max_size=len(attributes)),
            min_size=len(names),
            max_size=len(names),
        )
    )
    images = tuple(f"{name}.jpg" for name in names)
    return LabelTable(Path("x"), images, tuple(attributes), np.array(targets, np.float32))


def write(path: Path, table: LabelTable, form: str, spelling: dict[int, str]) -> Path:
    cells = [[spelling[int(target)] for target in row] for row in table.targets]
    rows = [[image, *row] for image, row in zip(table.images, cells, strict=True)]
    header = ["image", *table.attributes]
    if form in ("parquet", "jsonl", "json", "xlsx"):
        columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        records = [dict(zip(header, row, strict=True)) for row in rows]
        if form == "parquet":
            parquet.write_table(pa.table({name: list(some) for name, some in columns.items()}), path)
        elif form == "jsonl":
            path.write_text("\n".join(map(json.dumps, records)))
        elif form == "json":
            path.write_text(json.dumps(records))
        else:
            from openpyxl import Workbook

            book = Workbook()
            for row in (header, *rows):
                book.active.append(row)
            book.save(path)
    elif form == "txt":
        path.write_text("\n".join(" ".join(row) for row in rows))
    elif form == "canonical":
        write_labels(table, path)
    else:
        text = io.StringIO()
        delimiter = {"csv": ",", "semicolon": ";", "tab": "\t", "bar": "|", "utf-16": "\t"}[form]
        csv.writer(text, delimiter=delimiter).writerows([header, *rows])
        path.write_bytes(text.getvalue().encode("utf-16" if form == "utf-16" else "utf-8"))
    return path


@settings(max_examples=40, deadline=None)
@given(table=tables(), spelling=st.sampled_from(SPELLINGS))
@pytest.mark.parametrize("form", FORMATS)
def test_it_reads_back_equal_or_asks(
    tmp_path_factory: pytest.TempPathFactory, form: str, table: LabelTable, spelling: dict[int, str]
) -> None:
    if form == "txt" and spelling[-1] == "":
        return  # a blank cell between blanks is none
    path = write(tmp_path_factory.mktemp("table") / "labels.data", table, form, spelling)
    try:
        found = read_labels(path)
    except LabelsError as error:
        assert (table.targets == -1).all() or "labels." in str(error)  # noqa: PT017
        return
    assert found.images == table.images
    if form != "txt":
        assert found.attributes == table.attributes
    assert found.targets.tolist() == table.targets.tolist()


@settings(max_examples=40, deadline=None)
@given(table=tables(), separator=st.sampled_from(["|", ";", "list"]))
def test_tags_read_back_equal_or_ask(
    tmp_path_factory: pytest.TempPathFactory, table: LabelTable, separator: str
) -> None:
    attributes = tuple(sorted(name.replace(";", "").replace(",", "").strip() for name in table.attributes))
    assume(all(attributes))  # a tag without a name is none
    held = [
        [name for name, target in zip(attributes, row, strict=True) if target == 1] for row in table.targets
    ]
    path = tmp_path_factory.mktemp("tags") / "labels.csv"
    if separator == "list":
        records = ({"image": i, "tags": tags} for i, tags in zip(table.images, held, strict=True))
        path.write_text("\n".join(map(json.dumps, records)))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = [[i, separator.join(tags)] for i, tags in zip(table.images, held, strict=True)]
            csv.writer(file).writerows([["image", "tags"], *rows])
    try:
        found = read_labels(path)
    except LabelsError as error:
        assert not any(held) or "labels." in str(error)  # noqa: PT017
        return
    assert {
        (image, name)
        for image, row in zip(found.images, found.targets, strict=True)
        for name, target in zip(found.attributes, row, strict=True)
        if target == 1
    } == {(image, name) for image, tags in zip(table.images, held, strict=True) for name in tags}
