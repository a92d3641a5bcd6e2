"""Every case of shared/cases, as its row in the README says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from aimonk.config import Config, LabelsConfig, SplitConfig
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.labels import LabelTable, read_labels
from aimonk.data.split import make_split
from aimonk.data.suggest_groups import suggested_groups
from aimonk.errors import LabelsError

THREE = [(67, 53, 0), (65, 55, 0), (67, 53, 0)]
HOLES = [(61, 52, 7), (55, 50, 15), (57, 44, 19)]
TAGS = {"collar": (67, 53, 0), "gender": (67, 53, 0), "placket": (65, 55, 0)}

Counts = Callable[[LabelTable], dict[str, tuple[int, int, int]]]
LayOut = Callable[[Iterable[str]], Path]


def dataset(folder: Path, labels: Path | None, **settings: Any) -> Dataset:
    return read_dataset(folder, labels, Config(labels=LabelsConfig(**settings)))


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("01-celeba-txt/list_attr_celeba.txt", ["Male", "Placket", "Collar"]),
        ("02-celeba-csv/list_attr_celeba.csv", ["Male", "Placket", "Collar"]),
        ("13-hf-metadata/metadata.csv", ["gender", "placket", "collar"]),
        ("13-hf-metadata/metadata.jsonl", ["gender", "placket", "collar"]),
        ("14-xlsx/labels.xlsx", ["gender", "placket", "collar"]),
        ("15-semicolon/labels.csv", ["gender", "placket", "collar"]),
        ("16-encodings/comma_named.txt", ["Ärmel lang", "Knöpfe", "Kragen"]),
        ("16-encodings/latin1.csv", ["Ärmel lang", "Knöpfe", "Kragen"]),
        ("16-encodings/tab_named.csv", ["Ärmel lang", "Knöpfe", "Kragen"]),
        ("16-encodings/unicode.txt", ["Ärmel lang", "Knöpfe", "Kragen"]),
        ("20-spaces/labels.txt", ["attr1", "attr2", "attr3"]),
    ],
)
def test_the_same_three_attributes(cases: Path, counts: Counts, file: str, names: list[str]) -> None:
    table = read_labels(cases / file)
    assert counts(table) == dict(zip(names, THREE, strict=True))
    assert len(table.images) == 120


@pytest.mark.parametrize("file", ["labels.csv", "list_attr_img.txt", "wider_label.txt"])
def test_deepfashion_asks_and_reads_as_told(cases: Path, counts: Counts, file: str) -> None:
    with pytest.raises(LabelsError, match="labels.absent and labels.unknown"):
        read_labels(cases / "03-deepfashion" / file)
    right = read_labels(cases / "03-deepfashion" / "right.csv")
    table = read_labels(cases / "03-deepfashion" / file, LabelsConfig(absent=("-1",), unknown=("0",)))
    assert list(counts(table).values()) == list(counts(right).values())
    assert (table.targets == right.targets).all()
    other = read_labels(cases / "03-deepfashion" / file, LabelsConfig(unknown=("-1",)))
    assert (other.targets == -1).sum() == (right.targets == 0).sum()


def test_chexpert(cases: Path, counts: Counts, lay_out: LayOut) -> None:
    file = cases / "05-chexpert" / "train.csv"
    with pytest.raises(LabelsError, match="labels.absent and labels.unknown"):
        read_labels(file)
    settings: dict[str, Any] = {"unknown": ("-1", "")}
    table = read_labels(file, LabelsConfig(**settings))
    assert counts(table) == {
        "No Finding": (23, 0, 97),
        "Enlarged Cardiomediastinum": (45, 35, 40),
        "Cardiomegaly": (32, 32, 56),
        "Pleural Effusion": (33, 32, 55),
    }
    assert [name for name, _ in table.read_as.left_out] == ["Sex", "Age", "Frontal/Lateral", "AP/PA"]
    blank_absent = read_labels(file, LabelsConfig(unknown=("-1",), absent=("0", "")))
    assert counts(blank_absent)["No Finding"] == (23, 97, 0)
    data = dataset(lay_out(table.images), file, **settings)
    assert [(one.name, one.reason) for one in data.unlearnable] == [
        ("No Finding", "No image is labeled absent.")
    ]
    assert data.targets.shape == (120, 3)
    suggested = suggested_groups(table)
    assert suggested is not None and suggested.groups == 39
    grouped = dataset(data.folder, file, group=suggested.setting, **settings)
    assert grouped.read_as.groups == 39


def test_nih(cases: Path, counts: Counts) -> None:
    table = read_labels(cases / "06-nih" / "Data_Entry_2017.csv")
    assert counts(table) == {
        "Cardiomegaly": (67, 53, 0),
        "Effusion": (65, 55, 0),
        "Infiltration": (67, 53, 0),
        "No Finding": (11, 109, 0),
    }
    suggested = suggested_groups(table)
    assert suggested is not None and (suggested.setting, suggested.groups) == ("Patient ID", 40)


def test_planet(cases: Path, counts: Counts, lay_out: LayOut) -> None:
    file = cases / "07-planet" / "train_v2.csv"
    table = read_labels(file)
    assert counts(table) == {
        "clear": (11, 109, 0),
        "haze": (67, 53, 0),
        "primary": (65, 55, 0),
        "water": (67, 53, 0),
    }
    data = dataset(lay_out(f"{name}.jpg" for name in table.images), file)
    assert data.read_as.matched == (("suffix", 120, "train_1035", "train_1035.jpg"),)


def test_roboflow(cases: Path, lay_out: LayOut) -> None:
    table = read_labels(cases / "10-roboflow")
    data = dataset(lay_out(table.images), cases / "10-roboflow")
    assert [(c.positives, c.negatives, c.missing) for c in data.counts] == THREE
    assert data.split is not None
    assert [data.split.count(name) for name in ("train", "validation", "test")] == [80, 20, 20]


@pytest.mark.parametrize("file", ["project-1.json", "project-1.csv", "_annotations.coco.json"])
def test_label_studio(cases: Path, counts: Counts, lay_out: LayOut, file: str) -> None:
    table = read_labels(cases / "12-label-studio" / file)
    assert counts(table) == TAGS
    names = [name.rpartition("/")[2] for name in table.images]
    data = dataset(lay_out(names), cases / "12-label-studio" / file)
    assert len(data) == 120


def test_parquet_with_images(cases: Path, counts: Counts, tmp_path: Path) -> None:
    table = read_labels(cases / "13-hf-metadata" / "metadata.csv")
    images = [{"bytes": b"...", "path": name} for name in table.images]
    columns = {name: table.targets[:, at].astype(int) for at, name in enumerate(table.attributes)}
    parquet.write_table(pa.table({"image": images, **columns}), tmp_path / "train.parquet")
    assert list(counts(read_labels(tmp_path / "train.parquet")).values()) == THREE


@pytest.mark.parametrize("name", ["backslash", "dotslash", "noext", "upper"])
def test_paths(cases: Path, lay_out: LayOut, name: str) -> None:
    file = cases / "17-paths" / f"{name}.csv"
    folder = lay_out(
        f"sub/{Path(image.replace(chr(92), '/')).stem}.jpg" for image in read_labels(file).images
    )
    data = dataset(folder, file)
    assert [(c.positives, c.negatives, c.missing) for c in data.counts] == THREE
    difference = {"backslash": "slashes", "dotslash": "a needless ./", "noext": "suffix", "upper": "case"}
    assert [(how, count) for how, count, _, _ in data.read_as.matched] == [(difference[name], 120)]


def test_absolute_paths(cases: Path, lay_out: LayOut, tmp_path: Path) -> None:
    lines = (cases / "17-paths" / "dotslash.csv").read_text().splitlines()
    folder = lay_out(line.split(",")[0].removeprefix("./") for line in lines[1:])
    file = tmp_path / "absolute.csv"
    file.write_text("\n".join([lines[0], *(f"{folder}/{line.removeprefix('./')}" for line in lines[1:])]))
    assert len(dataset(folder, file)) == 120


@pytest.mark.parametrize(
    "name",
    ["yesno", "yn", "truefalse", "TRUE", "q", "dash", "null", "none", "pandasNA", "nanU", "float3"],
)
def test_tokens(cases: Path, counts: Counts, name: str) -> None:
    assert list(counts(read_labels(cases / "18-tokens" / f"{name}.csv")).values()) == HOLES


def test_tokens_that_ask(cases: Path, counts: Counts) -> None:
    marks, soft = cases / "18-tokens" / "xblank.csv", cases / "18-tokens" / "soft.csv"
    with pytest.raises(LabelsError, match=r'labels.absent=\[""\] or labels.unknown=\[""\]'):
        read_labels(marks)
    assert list(counts(read_labels(marks, LabelsConfig(absent=("",)))).values()) == [
        (61, 59, 0),
        (55, 65, 0),
        (57, 63, 0),
    ]
    with pytest.raises(LabelsError, match="labels.threshold"):
        read_labels(soft)
    assert list(counts(read_labels(soft, LabelsConfig(threshold=0.5))).values()) == THREE


def test_bookkeeping_columns_are_read_and_named(cases: Path, counts: Counts) -> None:
    file = cases / "22-metadata-columns" / "labels.csv"
    table = read_labels(file)
    assert len(table.attributes) == 6
    assert table.read_as.bookkeeping == ("is_valid", "reviewed", "annotator_id")
    assert any(
        'labels.ignore=["is_valid", "reviewed", "annotator_id"]' in s for s in table.read_as.sentences()
    )
    ignored = read_labels(file, LabelsConfig(ignore=table.read_as.bookkeeping))
    assert list(counts(ignored).values()) == THREE


def test_attribute_names_are_kept_whole(cases: Path) -> None:
    names = {path.stem: read_labels(path).attributes for path in (cases / "45-attribute-names").glob("*.csv")}
    assert names["comma"][0] == "Sleeve, long"
    assert names["newline"][0] == "has\nnewline"
    assert names["dots"] == ("..", ".", "x")
    assert names["collide"] == ("a@b", "a#b", "a b")
    assert len(names["long"][0]) == 300
    assert all(len(set(some)) == len(some) for some in names.values())


def test_annotators(cases: Path, counts: Counts) -> None:
    table = read_labels(cases / "48-annotators" / "labels.csv")
    assert (len(table.images), table.read_as.rows) == (40, 200)
    unknown = sum(missing for _, _, missing in counts(table).values())
    assert table.read_as.contradictions == unknown == 56


def test_subjects(cases: Path) -> None:
    folder = cases / "49-subjects" / "photos"
    data = dataset(folder, cases / "49-subjects" / "labels.csv")
    assert data.table is not None
    suggested = suggested_groups(data.table)
    assert suggested is not None and (suggested.setting, suggested.groups) == ("^([^_]+)_", 24)
    grouped = dataset(folder, cases / "49-subjects" / "ps0.csv", group="^([^_]+)_")
    assert grouped.table is not None and suggested_groups(grouped.table) is None
    assert len(set(grouped.groups.tolist())) == 24
    split = make_split(
        grouped.targets, grouped.groups, grouped.split, SplitConfig(kind="column"), grouped.names
    )
    assert [len(rows) for rows in split.parts().values()] == [96, 32, 64]


@pytest.mark.parametrize("name", ["split", "Split_upper", "partition", "dev", "no_valid"])
def test_split_columns(cases: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    table = read_labels(cases / "50-split-column" / f"{name}.csv")
    assert table.split is not None and len(table.attributes) == 3
    parts = [table.split.count(part) for part in ("train", "validation", "test")]
    assert parts == ([110, 0, 40] if name == "no_valid" else [100, 20, 30])
    import numpy as np

    split = make_split(table.targets, np.arange(150), table.split, SplitConfig(kind="column"))
    assert split.test.tolist() == [row for row, part in enumerate(table.split) if part == "test"]
    if name == "no_valid":
        assert 14 <= len(split.validation) <= 19  # 15% of 110
        assert {table.split[row] for row in split.validation} == {"train"}
        assert "no validation set" in caplog.text
        alone = make_split(
            table.targets, np.arange(150), table.split, SplitConfig(kind="column", validation=0)
        )
        assert len(alone.validation) == 0 and len(alone.train) == 110


def test_one_camera_suggests_no_groups(cases: Path) -> None:
    assert suggested_groups(read_labels(cases / "70-fixed-camera" / "labels.csv")) is None


def test_utf16_without_a_mark(cases: Path, counts: Counts, tmp_path: Path) -> None:
    text = (cases / "15-semicolon" / "labels.csv").read_text(encoding="utf-8-sig")
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
        table = read_labels(tmp_path / "labels.csv")
        assert list(counts(table).values()) == THREE
        assert table.read_as.encoding == encoding
