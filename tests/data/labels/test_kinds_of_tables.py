"""Tables as people have them: separators, headers, tokens, encodings, and shapes that are easily misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aimonk.config import LabelsConfig
from aimonk.data.labels import LabelTable, read_labels
from aimonk.errors import LabelsError

RIGHT = {"red": [0, 1, 0, 1], "long": [0, 0, 1, 1]}
ROWS = [["image", "red", "long"], *([f"{at}.jpg", str(at % 2), str(at // 2)] for at in range(4))]


def text(delimiter: str = ",", end: str = "\n", rows: list[list[str]] = ROWS, after: str = "") -> str:
    return "".join(delimiter.join(row) + after + end for row in rows)


def read(tmp_path: Path, content: str | bytes, name: str = "labels.csv", **settings: Any) -> LabelTable:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_labels(path, LabelsConfig(**settings))


def labels(table: LabelTable) -> dict[str, list[int]]:
    return {name: table.targets[:, at].astype(int).tolist() for at, name in enumerate(table.attributes)}


@pytest.mark.parametrize(
    "content",
    [
        text("~"),
        text("^"),
        text(":"),
        text("\x01"),
        text("||"),
        text(", "),
        text("\t "),
        text(end="\r"),
        text(end="\r\n"),
        "\ufeff" + text(end="\r\n"),
        text(after=","),
        text(rows=ROWS[:1]) + text(rows=ROWS[1:], after=","),
        text(end="\n\n"),
        "# labeled by Ann, 2021\n# second pass\n" + text(),
        "Labels of the second batch\n\n" + text(),
        "Labels of the second batch,,\n,,\n" + text(),
        "sep=;\n" + text(";"),
        text(rows=[[f"'{cell}'" for cell in row] for row in ROWS]),
        text(rows=[[f'"{cell}"' for cell in row] for row in ROWS]),
        "\n".join(f'"{",".join(row)}"' for row in ROWS),
        text(rows=[["", *ROWS[0]], *([str(7 - at), *row] for at, row in enumerate(ROWS[1:]))]),
        text(rows=[["", "Color", "Cut"], ["image", "red", "long"], *ROWS[1:]]),
        text(rows=[list(row) for row in zip(*ROWS, strict=True)]),
    ],
)
def test_one_table_in_many_dialects(tmp_path: Path, content: str) -> None:
    table = read(tmp_path, content)
    assert labels(table) == RIGHT
    assert table.images == ("0.jpg", "1.jpg", "2.jpg", "3.jpg")


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    above = read(tmp_path, "Labels of June\nby Ann\n" + text()).read_as
    assert above.notes == ("2 lines above the names of the columns are not read: 'Labels of June'.",)
    turned = read(tmp_path, text(rows=[list(row) for row in zip(*ROWS, strict=True)])).read_as
    assert "rows and columns exchanged" in turned.notes[0]
    index = read(
        tmp_path, text(rows=[["", *ROWS[0]], *([str(7 - at), *row] for at, row in enumerate(ROWS[1:]))])
    )
    assert index.read_as.left_out == (("(no name)", "it holds numbers from 4 to 7, not labels"),)


def test_the_names_of_two_rows_stay_apart(tmp_path: Path) -> None:
    rows = [["", "front", "", "back", ""], ["image", "red", "long", "red", "wide"]]
    table = read(tmp_path, text(rows=[*rows, *([*row, row[1], row[2]] for row in ROWS[1:])]))
    assert table.attributes == ("front: red", "long", "back: red", "wide")


@pytest.mark.parametrize(
    ("present", "absent"),
    [
        ("TRUE", "FALSE"), ("WAHR", "FALSCH"), ("sì", "no"), ("evet", "hayır"), ("tak", "nie"), ("ano", "ne"),
        ("ja", "nej"), ("kyllä", "ei"), ("はい", "いいえ"), ("是", "否"), ("○", "×"), ("✓", "✗"),
        ("✅", "❌"),
        ("☑", "☐"), ("100%", "0%"), ("1,0", "0,0"), ("１", "０"), ("T", "F"),
    ],
)  # fmt: skip
def test_spellings_of_yes_and_no(tmp_path: Path, present: str, absent: str) -> None:
    rows = [
        ROWS[0],
        *([row[0], *(present if cell == "1" else absent for cell in row[1:])] for row in ROWS[1:]),
    ]
    assert labels(read(tmp_path, text(";", rows=rows))) == RIGHT


@pytest.mark.parametrize(
    "unknown", ["\\N", "#VALUE!", "n.d.", "Not applicable", "N/A", "?", "unknown", "NULL"]
)
def test_spellings_of_not_known(tmp_path: Path, unknown: str) -> None:
    rows = [*ROWS[:4], ["3.jpg", unknown, "1"]]
    assert labels(read(tmp_path, text(rows=rows)))["red"] == [0, 1, 0, -1]


def test_a_third_answer_is_asked_for(tmp_path: Path) -> None:
    content = "image,red,note\n" + "".join(
        f"{at}.jpg,{('yes', 'no', 'partly')[at % 3]},{('fine', 'blurry', 'no')[at % 3]}\n" for at in range(9)
    )
    with pytest.raises(
        LabelsError, match="'partly' is not a label in the column 'red'; correct it, say what"
    ):
        read(tmp_path, content)
    assert labels(read(tmp_path, content, unknown=("partly",))) == {"red": [1, 0, -1] * 3}


def test_a_cross_alone_says_nothing(tmp_path: Path) -> None:
    rows = [ROWS[0], *([row[0], *("✗" if cell == "1" else "" for cell in row[1:])] for row in ROWS[1:])]
    with pytest.raises(LabelsError, match="'✗' is not a label .* labels.present and labels.absent"):
        read(tmp_path, text(rows=rows))
    assert labels(read(tmp_path, text(rows=rows), present=("✗",), absent=("",))) == RIGHT


NUMBERS = [["image", "red", "stars"], ["0.jpg", "0.3", "1"], ["1.jpg", "0.7", "5"], ["2.jpg", "", "4"]]


def test_numbers_need_a_threshold(tmp_path: Path) -> None:
    probabilities = text(rows=[row[:2] for row in NUMBERS])
    with pytest.raises(LabelsError, match=r"'0.3' .* labels.threshold=0.5"):
        read(tmp_path, probabilities)
    assert labels(read(tmp_path, probabilities, threshold=0.5)) == {"red": [0, 1, -1]}
    percent = probabilities.replace("0.3", "30%").replace("0.7", "70 %")
    assert labels(read(tmp_path, percent, threshold=0.5)) == {"red": [0, 1, -1]}
    stars = text(rows=[[row[0], row[2]] for row in NUMBERS])
    with pytest.raises(LabelsError, match="numbers from 1 to 5, .* labels.threshold"):
        read(tmp_path, stars)
    assert labels(read(tmp_path, stars, threshold=4)) == {"stars": [0, 1, 1]}


def test_a_threshold_above_1_leaves_labels_alone(tmp_path: Path) -> None:
    rows = [["image", "red", "votes"], ["0.jpg", "1", "0"], ["1.jpg", "0", "3"], ["2.jpg", "1", "1"]]
    assert labels(read(tmp_path, text(rows=rows), threshold=2)) == {"red": [1, 0, 1], "votes": [0, 1, 0]}


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("utf-16", "Ärmel,größe"), ("utf-32", "Ärmel,größe"), ("cp1252", "café,naïve"),
        ("mac_roman", "Ärmel,größe"), ("cp850", "Ärmel,größe"), ("cp1250", "żółty,długi"),
        ("cp1251", "красный,длинный"), ("koi8_r", "красный,длинный"), ("koi8_r", "Красный,Длинный"),
        ("shift_jis", "赤い,長袖"), ("euc_jp", "赤い,長袖"), ("gb18030", "红色,长袖"),
        ("big5", "紅色,藍色"),
    ],
)  # fmt: skip
def test_names_are_whole_in_any_encoding(tmp_path: Path, encoding: str, names: str) -> None:
    rows = [["image", *names.split(",")], *ROWS[1:]]
    table = read(tmp_path, text(rows=rows).encode(encoding))
    assert table.attributes == tuple(names.split(","))


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    content = text(rows=[["image", "šaty", "žlutý"], *ROWS[1:]]).encode("iso8859_2")
    assert read(tmp_path, content, encoding="iso8859_2").attributes == ("šaty", "žlutý")
    with pytest.raises(LabelsError, match="labels.encoding is 'latin9000'"):
        read(tmp_path, content, encoding="latin9000")


def test_a_row_for_each_question(tmp_path: Path) -> None:
    rows = [
        [name, question, answer]
        for name, *answers in (("a.jpg", "yes", "no"), ("b.jpg", "no", "no"))
        for question, answer in zip(("is it red?", "is it long?"), answers, strict=True)
    ]
    known = text(rows=[["file", "question", "answer"], *rows])
    assert labels(read(tmp_path, known)) == {"is it long?": [0, 0], "is it red?": [1, 0]}
    renamed = text(rows=[["file", "topic", "red"], *rows])
    with pytest.raises(LabelsError, match="'topic' says what a row is about, set labels.tags='topic'"):
        read(tmp_path, renamed)
    assert labels(read(tmp_path, renamed, tags=("topic",))) == {"is it long?": [0, 0], "is it red?": [1, 0]}


def test_a_row_for_each_property_and_its_value(tmp_path: Path) -> None:
    rows = [["image", "attribute", "value"], ["a.jpg", "color", "red"], ["a.jpg", "cut", "long"]]
    rows += [["b.jpg", "color", "blue"], ["b.jpg", "cut", "long"]]
    assert labels(read(tmp_path, text(rows=rows))) == {
        "color=blue": [0, 1],
        "color=red": [1, 0],
        "cut=long": [1, 1],
    }


def test_boxes_are_no_labels(tmp_path: Path) -> None:
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded\n"
    rows = "a,x,/m/01,1,0.1,0.2,0.3,0.4,1\na,x,/m/02,1,0.1,0.2,0.3,0.4,0\nb,x,/m/02,1,0.5,0.6,0.7,0.8,0\n"
    assert labels(read(tmp_path, header + rows)) == {"/m/01": [1, 0], "/m/02": [1, 1]}
    (tmp_path / "class-descriptions.csv").write_text('/m/01,Cat\n/m/02,"Dog, small"\n')
    assert labels(read(tmp_path, header + rows)) == {"Cat": [1, 0], "Dog, small": [1, 1]}


@pytest.mark.parametrize(
    "tags",
    [
        ["cat|big", "dog", "big|dog"], ["cat;big", "dog", "dog;big"],
        ['["cat", "big"]', '["dog"]', '["dog", "big"]'],
        ["['cat' 'big']", "['dog']", "['dog' 'big']"], ["{cat,big}", "{dog}", "{dog,big}"],
        ["[cat, big]", "[dog]", "[dog, big]"], ["cat big", "dog", "dog big"],
    ],
)  # fmt: skip
def test_tags_in_any_list(tmp_path: Path, tags: list[str]) -> None:
    rows = [["image", "tags"], *([f"{at}.jpg", cell] for at, cell in enumerate([*tags, "cat", "big"]))]
    content = "\n".join(
        f'{image}\t"{cell}"' if '"' not in cell else f"{image}\t{cell}" for image, cell in rows
    )
    found = labels(read(tmp_path, content))
    assert found == {"big": [1, 0, 1, 0, 1], "cat": [1, 0, 0, 1, 0], "dog": [0, 1, 1, 0, 0]}


def test_tags_in_several_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "image,tag1,tag2\na.jpg,cat,big\nb.jpg,dog,\nc.jpg,big,dog\n")
    assert labels(table) == {"big": [1, 0, 1], "cat": [1, 0, 0], "dog": [0, 1, 1]}


def test_a_slash_between_tags_is_asked_for(tmp_path: Path) -> None:
    content = "image,tags\na.jpg,cat/big\nb.jpg,dog\nc.jpg,dog/big\nd.jpg,cat\n"
    with pytest.raises(LabelsError, match='labels.separator="/"'):
        read(tmp_path, content)
    assert labels(read(tmp_path, content, separator="/"))["big"] == [1, 0, 1, 0]


@pytest.mark.parametrize("content", ["0,a.jpg\n1,b.jpg\n", "0;a.jpg\n1;b.jpg\n\x1a", "0|a.jpg\n1|b.jpg\n\0"])
def test_labels_may_stand_before_the_image(tmp_path: Path, content: str) -> None:
    assert labels(read(tmp_path, content)) == {"attr1": [0, 1]}


@pytest.mark.parametrize(
    "content", ["1 a.jpg 0\n2 b.jpg 1\n", "a.jpg: 0\nb.jpg: 1\n", "a.jpg; 0\nb.jpg; 1\n"]
)
def test_text_with_line_numbers_or_colons(tmp_path: Path, content: str) -> None:
    table = read(tmp_path, content, "labels.txt")
    assert (table.images, labels(table)) == (("a.jpg", "b.jpg"), {"attr1": [0, 1]})


def test_a_first_row_with_an_image_is_no_header(tmp_path: Path) -> None:
    table = read(tmp_path, "a.jpg,cat,1\nb.jpg,dog,0\n")
    assert (table.images, labels(table)) == (("a.jpg", "b.jpg"), {"attr2": [1, 0]})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("l.csv.gz", b"\x1f\x8b\x08rest", "is compressed, .* unpack it"),
        ("l.pkl", b"\x80\x04\x95\x01\x02", "pickle"),
        ("l.db", b"SQLite format 3\0", "database of SQLite"),
        ("l.xml", b"<annotation><filename>a.jpg</filename></annotation>", "XML or HTML, .* export"),
        ("l.yaml", b"a.jpg:\n  red: 1\nb.jpg:\n  red: 0\n", "YAML"),
        ("l.png", b"\x89PNG\r\n\x1a\n", "is an image"),
        ("l.csv", b"image,tags\na.jpg,cat,big\nb.jpg,dog\n", "line 2: there are 3 values where 2 are"),
        ("l.csv", b"image,tags\na.jpg,cat,big,old\nb.jpg,dog\n", "line 2: there are 4 values where 2 are"),
        ("l.csv", b"image,tags\na.jpg,dog\nb.jpg\n", "line 3: there is 1 value where 2 are expected"),
        ("l.csv", b"lesion_id,image_id,dx\nL1,a1,nv\nL2,a2,mel\nL2,a3,nv\n", "'nv' is not a .* 'dx'"),
    ],
)  # fmt: skip
def test_what_is_not_read_says_what_to_do(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(LabelsError, match=said):
        read(tmp_path, content, name)
