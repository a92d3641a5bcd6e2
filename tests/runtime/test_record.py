from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from aimonk.errors import ModelError
from aimonk.runtime.record import Attribute, PackageInfo, read_info
from aimonk.runtime.request_limits import Limits

INFO = PackageInfo(
    attributes=(Attribute("attr1", 0.3, 0.88, "learned"), Attribute("très long", 0.5)),
    input_size=(192, 224),
    precision="bf16",
    backbone="resnet50",
    weights="0123",
    features="abc",
    decoder="1",
    calibrated=True,
    headline="LEARNED 1 of 2 attributes",
    training={"images": 972},
    versions={"aimonk": "0.1.0"},
    licenses={"aimonk": "Apache-2.0"},
    limits=Limits(images_per_request=7),
    max_pixels=1000,
)


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "attributes.json").write_text(text, encoding="utf-8")
    (folder / "model.xml").write_text("")
    (folder / "model.bin").write_text("")
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_info(write(tmp_path, INFO.to_json())) == INFO
    assert INFO.names == ("attr1", "très long")


def test_an_undefined_prevalence_is_null(tmp_path: Path) -> None:
    undefined = dataclasses.replace(INFO, attributes=(Attribute("a", 0.5, float("nan")),))
    assert json.loads(undefined.to_json())["attributes"][0]["prevalence"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "not the record"),
        ('{"format": 2}', "not the record"),
        (INFO.to_json().replace('"backbone"', '"spine"'), "not the record"),
        (INFO.to_json().replace('"format": 2', '"format": 3'), "format 3, newer.*upgrade"),
        (INFO.to_json().replace('"format": 2', '"format": 1'), "format 1, older.*train"),
        (INFO.to_json().replace('"threshold": 0.3', '"threshold": NaN'), "threshold nan for 'attr1'"),
        (INFO.to_json().replace('"threshold": 0.3', '"threshold": Infinity'), "threshold inf for 'attr1'"),
        (INFO.to_json().replace('"images_per_request"', '"images"'), "not the record"),
        (INFO.to_json().replace('"bf16"', '"int8"'), "'int8'"),
    ],
)
def test_a_broken_record_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_info(write(tmp_path, text))


def test_a_folder_without_record_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no aimonk model package"):
        read_info(tmp_path)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    (write(tmp_path, INFO.to_json()) / "model.bin").unlink()
    with pytest.raises(ModelError, match=r"model\.bin is missing"):
        read_info(tmp_path)
