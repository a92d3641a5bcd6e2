"""Files of tools and data sets, in the variants that they are exported in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from aimonk.config import LabelsConfig
from aimonk.data.labels import LabelTable, find_labels, read_labels
from aimonk.data.labels.class_folders import find_class_folders
from aimonk.errors import LabelsError

NAMES = ["a.jpg", "b.jpg", "c.jpg"]


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def labels(table: LabelTable) -> dict[str, list[int]]:
    return {name: table.targets[:, at].astype(int).tolist() for at, name in enumerate(table.attributes)}


def lines(*records: object) -> str:
    return "\n".join(map(json.dumps, records))


@pytest.mark.parametrize(
    "value",
    [
        [{"image": name, "red": at % 2} for at, name in enumerate(NAMES)],
        [["image", "red"], *([name, at % 2] for at, name in enumerate(NAMES))],
        {name: {"red": at % 2} for at, name in enumerate(NAMES)},
        {"image": NAMES, "red": [0, 1, 0]},
        {"image": {"0": "a.jpg", "1": "b.jpg", "2": "c.jpg"}, "red": {"0": 0, "1": 1, "2": 0}},
        {"columns": ["image", "red"], "index": [0, 1, 2], "data": [["a.jpg", 0], ["b.jpg", 1], ["c.jpg", 0]]},
        {"version": 3, "images": [{"file": name, "red": at % 2} for at, name in enumerate(NAMES)]},
        {"schema": {"fields": []}, "data": [{"file": n, "red": at % 2} for at, n in enumerate(NAMES)]},
        lines(*({"image": {"path": n, "width": 9}, "labels": {"red": at % 2}} for at, n in enumerate(NAMES))),
        lines(*({"image": n, "labels": [{"name": "red", "value": at % 2}]} for at, n in enumerate(NAMES))),
        lines(*({"image": n, "red": bool(at % 2), "bbox": [1, 2, at]} for at, n in enumerate(NAMES))),
        {f"{n}123": {"filename": n, "size": 123, "regions": [], "file_attributes": {"red": str(at % 2)}}
         for at, n in enumerate(NAMES)},
    ],
)  # fmt: skip
def test_json_in_many_shapes(tmp_path: Path, value: Any) -> None:
    table = read_labels(write(tmp_path / "labels.json", value))
    assert (table.images, labels(table)) == (tuple(NAMES), {"red": [0, 1, 0]})


@pytest.mark.parametrize(
    "value",
    [
        {"a.jpg": ["red", "long"], "b.jpg": ["long"], "c.jpg": []},
        {"red": ["a.jpg"], "long": ["a.jpg", "b.jpg"], "plain": ["c.jpg"]},
        {"classes": ["red", "long"], "labels": {"a": [0, 1], "b": 1, "c": []}},
        lines(
            {"image": "a.jpg", "tags": ["red", "long"]},
            {"image": "b.jpg", "tags": ["long"]},
            {"image": "c.jpg", "tags": []},
        ),
        lines(
            {"gcs": "gs://b/a.jpg", "annotations": [{"displayName": "red"}, {"displayName": "long"}]},
            {"gcs": "gs://b/b.jpg", "annotations": [{"displayName": "long"}]},
            {"gcs": "gs://b/c.jpg", "annotations": []},
        ),
    ],
)
def test_names_in_json(tmp_path: Path, value: Any) -> None:
    found = labels(read_labels(write(tmp_path / "labels.json", value)))
    assert (found["red"], found["long"]) == ([1, 0, 0], [1, 1, 0])


def test_lists_of_0_and_1_have_a_place_for_each_attribute(tmp_path: Path) -> None:
    value = lines(*({"image": n, "labels": [1, at % 2, 0]} for at, n in enumerate(NAMES)))
    found = labels(read_labels(write(tmp_path / "labels.jsonl", value)))
    assert found == {"labels 1": [1, 1, 1], "labels 2": [0, 1, 0], "labels 3": [0, 0, 0]}


def test_equal_keys_of_two_objects_stay_apart(tmp_path: Path) -> None:
    value = lines(*({"image": n, "front": {"red": 1}, "back": {"red": at % 2}} for at, n in enumerate(NAMES)))
    found = labels(read_labels(write(tmp_path / "labels.jsonl", value)))
    assert found == {"front: red": [1, 1, 1], "back: red": [0, 1, 0]}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[" * 100_000, "nests lists or objects too deeply"),
        ({"a": [{"x": 1}], "b": [{"y": 2}]}, "the lists 'a', 'b', which is no table"),
        ({"info": {}, "classes": [1, 2]}, "with the keys 'info', 'classes', which is no table"),
        (lines({"image": "a.jpg", "labels": [{"name": "red", "score": 0.9}]}), "labels.threshold"),
        (lines({"image": "a.jpg", "labels": [{"x": 1}]}), "no other column holds labels"),
        ([{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.5}], "what a detector found"),
        ({"images": [{"id": 0, "file_name": "a.jpg"}], "annotations": [{"image_id": 0, "caption": "x"}]},
         "captions but no categories"),
        ({"images": [{"id": 0, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "cat"}]},
         "COCO without annotations"),
        ([{"data": {"image": "a.jpg"}, "annotations": [], "predictions": [{"result": []}]}], "no task was"),
    ],
)  # fmt: skip
def test_json_that_holds_no_labels(tmp_path: Path, value: Any, said: str) -> None:
    with pytest.raises(LabelsError, match=said):
        read_labels(write(tmp_path / "labels.json", value))


def coco(annotations: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    images = [{"id": at, "file_name": name} for at, name in enumerate(NAMES)]
    categories = [{"id": 1, "name": "cat", "keypoints": ["nose"]}, {"id": 2, "name": "dog"}]
    return {"images": images, "categories": categories, "annotations": annotations} | more


def test_coco_with_keypoints_and_attributes(tmp_path: Path) -> None:
    annotations = [
        {
            "image_id": 0,
            "category_id": 1,
            "keypoints": [1, 2, 2],
            "attributes": {"occluded": True, "old": True},
        },
        {"image_id": 0, "category_id": 2, "attributes": {"color": "red", "old": False}},
        {"image_id": 1, "category_id": 2, "attributes": {"color": "red", "rotation": 0.0}},
    ]
    table = read_labels(write(tmp_path / "c.json", coco(annotations)))
    assert labels(table) == {"cat": [1, 0, 0], "color=red": [1, 1, 0], "dog": [1, 1, 0], "old": [1, 0, 0]}
    assert any("attribute of an annotation" in note for note in table.read_as.notes)


def test_coco_with_numbered_attributes(tmp_path: Path) -> None:
    value = coco(
        [{"image_id": 1, "category_id": 1, "attribute_ids": [7]}], attributes=[{"id": 7, "name": "striped"}]
    )
    assert labels(read_labels(write(tmp_path / "c.json", value))) == {"cat": [0, 1, 0], "striped": [0, 1, 0]}


def test_lvis_knows_only_what_was_looked_for(tmp_path: Path) -> None:
    images = [
        {"id": at, "coco_url": f"http://x/{name}", "neg_category_ids": [2] if at else []}
        for at, name in enumerate(NAMES)
    ]
    value = coco([{"image_id": 0, "category_id": 2}, {"image_id": 1, "category_id": 1}], images=images)
    assert labels(read_labels(write(tmp_path / "c.json", value))) == {"cat": [-1, 1, -1], "dog": [1, 0, 0]}


def task(name: str, *results: dict[str, Any], under: str = "annotations") -> dict[str, Any]:
    return {"data": {"image": f"/data/upload/1/0a1b2c3d-{name}"}, under: [{"result": list(results)}]}


def result(kind: str, names: list[Any], **value: Any) -> dict[str, Any]:
    return {"from_name": kind, "type": kind, "value": {kind: names, **value}}


@pytest.mark.parametrize("under", ["annotations", "completions"])
@pytest.mark.parametrize(
    ("red", "top"),
    [
        (result("choices", ["red"]), result("choices", ["top"])),
        (result("taxonomy", [["red"]]), result("taxonomy", [["top"]])),
        (result("rectanglelabels", ["red"], x=1, y=2), result("rectanglelabels", ["top"], x=1, y=2)),
        (result("polygonlabels", ["red"], points=[[1, 2]]), result("keypointlabels", ["top"], x=1)),
    ],
)
def test_label_studio_results(tmp_path: Path, under: str, red: Any, top: Any) -> None:
    text = {"from_name": "note", "type": "textarea", "value": {"text": ["nice photo"]}}
    value = [task("a.jpg", red, text, under=under), task("b.jpg", red, top, under=under)]
    table = read_labels(write(tmp_path / "ls.json", value))
    assert labels(table) == {"red": [1, 1], "top": [0, 1]}
    assert table.read_as.notes == ("Answers that are no choices are left out: 'note'.",)


@pytest.mark.parametrize(
    ("one", "both"),
    [
        ("red", '{"choices": ["red", "big top"]}'),
        ('["red"]', '["red", "big top"]'),
        ('[["red"]]', '[["red"], ["big top"]]'),
        ('[{"x": 1, "rectanglelabels": ["red"]}]', '[{"x": 2, "rectanglelabels": ["red", "big top"]}]'),
    ],
)
def test_label_studio_tables(tmp_path: Path, one: str, both: str) -> None:
    fields: dict[str, Any] = {"annotation_id": 1, "annotator": 1, "lead_time": 2.5, "created_at": "2024"}
    rows = [fields | {"image": "a.jpg", "what": one}, fields | {"image": "b.jpg", "what": both}]
    with (tmp_path / "ls.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert labels(read_labels(tmp_path / "ls.csv")) == {"big top": [0, 1], "red": [1, 1]}
    smallest = [row | {"what": json.loads(row["what"]) if row["what"][0] in "[{" else "red"} for row in rows]
    table = read_labels(write(tmp_path / "min.json", smallest))
    assert labels(table) == {"big top": [0, 1], "red": [1, 1]}


def workbook(path: Path, sheets: dict[str, list[list[Any]]], *merged: str) -> Path:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    book.save(path)
    return path


BODY: list[list[Any]] = [["a.jpg", 0, True], ["b.jpg", 1, False], ["c.jpg", 0.0, None]]
HEADER = ["image", "red", "long"]
SHEETS: list[tuple[dict[str, list[list[Any]]], tuple[str, ...]]] = [
    ({"S": [HEADER, *BODY]}, ()),
    ({"Read me": [["Our table"], ["Version 3"]], "Labels": [HEADER, *BODY]}, ()),
    ({"Labels": [HEADER, *BODY], "Legend": [["code", "meaning"], [1, "yes"], [0, "no"]]}, ()),
    ({"batch 1": [HEADER, *BODY[:1]], "batch 2": [HEADER, *BODY[1:]]}, ()),
    ({"S": [["Labels of June"], ["by Ann"], [], HEADER, *BODY]}, ()),
    ({"S": [["All labels", None, None], HEADER, *BODY]}, ("A1:C1",)),
    ({"S": [["image", "what", None], [None, "red", "long"], *BODY]}, ("A1:A2", "B1:C1")),
    ({"S": [[], [None, None, *HEADER], *([None, None, *row] for row in BODY)]}, ()),
]


@pytest.mark.parametrize(("sheets", "merged"), SHEETS)
def test_workbooks(tmp_path: Path, sheets: dict[str, list[list[Any]]], merged: tuple[str, ...]) -> None:
    table = read_labels(workbook(tmp_path / "labels.xlsx", sheets, *merged))
    assert (table.images, labels(table)) == (tuple(NAMES), {"red": [0, 1, 0], "long": [1, 0, -1]})


def test_sheets_called_like_sets_are_sets(tmp_path: Path) -> None:
    sheets = {"train": [HEADER, *BODY[:2]], "test": [HEADER, BODY[2]]}
    assert read_labels(workbook(tmp_path / "l.xlsx", sheets)).split == ("train", "train", "test")
    with pytest.raises(LabelsError, match="2 sheets with tables, 'a', 'b'"):
        read_labels(
            workbook(tmp_path / "l.xlsx", {"a": [HEADER, *BODY], "b": [["image", "blue"], ["a.jpg", 1]]})
        )


def test_parquet_knows_the_names_of_classes(tmp_path: Path) -> None:
    names = {"names": ["cat", "dog", "cow"], "_type": "ClassLabel"}
    features = {"label": names, "more": {"feature": names, "_type": "Sequence"}}
    table = pa.table(
        {
            "image": [{"bytes": b"..", "path": name} for name in NAMES],
            "label": [0, 2, -1],
            "info": [{"red": at % 2} for at in range(3)],
        }
    )
    about = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    parquet.write_table(table.replace_schema_metadata(about), tmp_path / "l.parquet")
    one = read_labels(tmp_path / "l.parquet", LabelsConfig(ignore=("red",)))
    assert labels(one) == {"cat": [1, 0, -1], "cow": [0, 1, -1]}
    several = pa.table({"image": NAMES, "more": [[0, 2], [1], []]}).replace_schema_metadata(about)
    parquet.write_table(several, tmp_path / "l.parquet")
    assert labels(read_labels(tmp_path / "l.parquet")) == {
        "cat": [1, 0, 0],
        "cow": [1, 0, 0],
        "dog": [0, 1, 0],
    }


def test_deepfashion_is_named_by_the_file_beside_it(tmp_path: Path) -> None:
    names = "3\nattribute_name  attribute_type\na-line      3\nabstract print    1\nacid wash     2\n"
    write(tmp_path / "list_attr_cloth.txt", names)
    rows = "2\nimage_name  attribute_labels\nimg/a.jpg   1 -1 -1\nimg/b.jpg  -1 -1  1\n"
    table = read_labels(write(tmp_path / "list_attr_img.txt", rows))
    assert labels(table) == {"a-line": [1, 0], "abstract print": [0, 0], "acid wash": [0, 1]}
    assert "list_attr_cloth.txt" in table.read_as.notes[0]
    with pytest.raises(LabelsError, match=r"give list_attr_img.txt to --labels"):
        read_labels(tmp_path / "list_attr_cloth.txt")
    write(tmp_path / "list_category_cloth.txt", "2\ncategory_name  category_type\nBlouse  1\nTank Top  1\n")
    rows = "2\nimage_name  category_label\nimg/a.jpg   2\nimg/b.jpg  1\n"
    table = read_labels(write(tmp_path / "list_category_img.txt", rows))
    assert labels(table) == {"Blouse": [0, 1], "Tank Top": [1, 0]}


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        (["red", "blue"], True), (["0", "1"], True), (["train/red", "val/red", "val/blue"], True),
        (["train", "val"], False), (["2021-01", "2021-02"], False), (["patient01", "patient02"], False),
    ],
)  # fmt: skip
def test_which_folders_are_classes(tmp_path: Path, folders: list[str], classes: bool) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.jpg").touch()
    assert find_class_folders(tmp_path) == classes
    if not classes:
        with pytest.raises(LabelsError, match="name the labels file with --labels"):
            find_labels(tmp_path)
