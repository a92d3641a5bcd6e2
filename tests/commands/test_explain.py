from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aimonk.backbones.linear_head import append_head
from aimonk.commands.explain import explain
from aimonk.errors import AimonkError, ConfigError, ModelError
from aimonk.runtime.record import Attribute, PackageInfo
from aimonk.serving.package import write_package

from ..serving.conftest import HEAD, mean_color


@pytest.fixture
def model(tmp_path: Path) -> str:
    """`red` has the logit red / 100 - 1, `dark` 0.5 - blue / 100, at 64 x 64 pixels."""
    attributes = (Attribute("red", 0.5, 0.25, "learned"), Attribute("dark / night", 0.5, 0.5, "no evidence"))
    info = PackageInfo(attributes, (64, 64), "f32", "mean_color", weights="none")
    write_package(tmp_path / "model", append_head(mean_color(64), HEAD), info, HEAD)
    return str(tmp_path / "model")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Gray, but for a red upper left corner and no blue."""
    pixels = np.full((80, 120, 3), 128, np.uint8)
    pixels[:20, :30, 0] = 255
    pixels[..., 2] = 0
    Image.fromarray(pixels).save(tmp_path / "my photo.png")
    return tmp_path / "my photo.png"


def test_pictures_and_numbers_are_written(model: str, photo: Path, tmp_path: Path) -> None:
    result = explain(model, [photo], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "001-my_photo-00-red.png",
        "explanations.json",
    ]
    found = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert found == json.loads(json.dumps(result.to_json()))
    red, dark = found["images"][0]["attributes"]
    assert red["present"] and dark["present"] and dark["verdict"] == "no evidence"
    for entry in (red, dark):
        total = entry["baseline"] + entry["elsewhere"] + np.sum(entry["contributions"])
        assert total == pytest.approx(entry["logit"], abs=1e-3)
    assert tuple(map(int, np.unravel_index(np.argmax(red["contributions"]), (4, 4)))) == (0, 0)
    # The corner is a cell of a quarter of the side: half of it lies in the border, either way.
    assert red["note"] == "75% of the evidence lies in the border of the image"
    assert dark["note"] == ""
    with Image.open(tmp_path / "out" / "001-my_photo-00-red.png") as drawn:
        assert drawn.size == (120, 80)


def test_the_summary_says_where_the_evidence_lies(model: str, photo: Path) -> None:
    said = str(explain(model, [photo]))
    assert "red: present, logit" in said
    assert "75% of the evidence lies in the border of the image" in said


def test_an_attribute_without_evidence_is_to_be_ignored(model: str, photo: Path) -> None:
    result = explain(model, photo)
    assert "dark / night: present (ignore it: no evidence), logit 0.50" in str(result)
    assert result.table["verdict"].tolist() == ["learned", "no evidence"]


def test_one_photo_and_one_attribute_need_no_list(model: str, photo: Path, tmp_path: Path) -> None:
    result = explain(model, str(photo), tmp_path / "out", attributes="red")
    assert [one.image for one in result.images] == [str(photo)]
    assert [name for name, _ in result.images[0].pictures] == ["red"]


def test_an_attribute_to_draw_needs_a_folder(model: str, photo: Path) -> None:
    with pytest.raises(
        ConfigError, match="'red' is to be drawn, but there is no place for pictures; give --out"
    ):
        explain(model, photo, attributes="red")


def test_pictures_of_an_earlier_call_are_replaced(model: str, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    explain(model, [photo, photo], out)
    (out / "notes.png").write_bytes(b"mine")
    explain(model, [photo], out, attributes=["dark / night"])
    names = sorted(path.name for path in out.iterdir())
    assert names == ["001-my_photo-01-dark_night.png", "explanations.json", "notes.png"]


def test_a_threshold_is_shown_where_the_sign_of_the_logit_is_not_the_answer(tmp_path: Path) -> None:
    info = PackageInfo((Attribute("red", 0.3, 0.25, "learned"),), (64, 64), "f32", "mean", weights="none")
    head = dataclasses.replace(HEAD, kernel=HEAD.kernel[:, :1], bias=HEAD.bias[:1])
    write_package(tmp_path / "model", append_head(mean_color(64), head), info, head)
    for red, said in ((0, "red: absent, logit -1.00"), (20, "red: present, logit -0.80, threshold -0.85")):
        Image.new("RGB", (64, 64), (red, 0, 0)).save(tmp_path / "photo.png")
        shown = explain(str(tmp_path / "model"), tmp_path / "photo.png", tmp_path, attributes="red")
        assert str(shown).splitlines()[1].strip() == said


def test_any_attribute_can_be_drawn(model: str, photo: Path, tmp_path: Path) -> None:
    (image,) = explain(model, [photo], tmp_path / "out", attributes=["dark / night"]).images
    assert [(name, path.name) for name, path in image.pictures] == [
        ("dark / night", "001-my_photo-01-dark_night.png")
    ]


def test_an_unreadable_image_has_an_error_and_the_others_are_explained(model: str, photo: Path) -> None:
    result = explain(model, [photo.with_name("gone.png"), photo])
    assert result.unreadable == 1
    assert [one.error for one in result.images] == ["missing", None]
    assert len(result.table) == 2


def test_an_unknown_attribute_is_named(model: str, photo: Path) -> None:
    with pytest.raises(ModelError, match=r"no attribute 'hat'; it has red, dark / night"):
        explain(model, [photo], attributes=["hat"])


def test_a_folder_that_cannot_be_written_is_named(model: str, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(AimonkError, match="is a file; give --out a folder"):
        explain(model, [photo], tmp_path / "out")


def test_gray_has_no_evidence(model: str, tmp_path: Path, make_package: Callable[..., Path]) -> None:
    Image.new("RGB", (64, 64), (128, 128, 128)).save(tmp_path / "gray.png")
    (image,) = explain(model, [tmp_path / "gray.png"], tmp_path / "out").images
    assert image.found is not None
    np.testing.assert_allclose(image.found.places, 0, atol=1e-6)
    assert image.pictures, "the attribute with the best score is drawn where none is present"
