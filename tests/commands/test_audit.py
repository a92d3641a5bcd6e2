from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aimonk.cli_label_options import labels_given
from aimonk.commands.audit import audit
from aimonk.config_file import load_config
from aimonk.data.labels import read_labels


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for number in range(12):
        pixels = draw.integers(0, 256, (40, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"p{number // 2}_{number % 2}.png")
    return folder


def test_it_says_how_labels_were_read_and_keeps_the_reading(photos: Path, tmp_path: Path) -> None:
    rows = [f"{path.name};{'x' if at % 3 else '-'};{at}" for at, path in enumerate(sorted(photos.iterdir()))]
    (tmp_path / "labels.csv").write_text("\n".join(["file;scratch;age", *rows]))
    options = labels_given("", "file", [], ["age"]).settings
    result = audit(
        photos,
        tmp_path / "labels.csv",
        settings=[*options, 'labels.absent="-"'],
        save_labels=tmp_path / "saved.csv",
    )
    found = result.to_json()
    assert found["images"] == 12
    assert found["attributes"][0] | {"positives": 8, "negatives": 4, "unknown": 0} == found["attributes"][0]
    assert found["read_as"]["left_out"] == {"age": "labels.ignore names it"}
    assert found["read_as"]["present"] == {"x": 8}
    assert found["suggested_groups"]["groups"] == 6
    text = str(result)
    assert "semicolons" in text.splitlines()[0] and "--group" in text
    assert read_labels(tmp_path / "saved.csv").targets.tolist() == result.dataset.targets.tolist()


def test_it_says_what_a_training_would_say_of_the_images(photos: Path, tmp_path: Path) -> None:
    rows = [f"{path.name},{at % 2},0" for at, path in enumerate(sorted(photos.iterdir()))]
    (tmp_path / "labels.csv").write_text("\n".join(["file,red,rare", *rows, "ghost.png,1,1"]))
    result = audit(photos, tmp_path / "labels.csv")
    said = (
        "`aimonk train` would refuse these files: 1 of the 13 images that the labels name cannot be "
        "used, more than the share of 0.05. Correct them, or give --set data.max_unusable=0.08."
    )
    assert result.to_json()["refusal"] == said
    assert said in " ".join(str(result).split())
    assert "'rare' cannot be learned: No usable image is labeled present." in str(result)
    allowed = audit(photos, tmp_path / "labels.csv", settings=["data.max_unusable=0.08"])
    assert allowed.to_json()["refusal"] is None


def test_an_ambiguous_name_is_not_an_unreadable_file(photos: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in photos.iterdir())
    for folder in ("a", "b"):
        (photos / folder).mkdir()
        shutil.copy(photos / names[0], photos / folder / "x.png")
    rows = [f"{name},{at % 2}" for at, name in enumerate([*names, "x.png"])]
    (tmp_path / "labels.csv").write_text("\n".join(["file,red", *rows]))
    text = " ".join(str(audit(photos, tmp_path / "labels.csv")).split())
    assert "1 ambiguous name; write the folder before it: x.png fits 2 files: a/x.png, b/x.png" in text
    assert "unreadable" not in text


def test_options_are_settings_whatever_they_hold() -> None:
    given = labels_given("my labels.csv", "été 👗", ['a "b", c', "d\\e"], [], r"^(\w+)_")
    assert given.file == "my labels.csv"
    labels = load_config(None, given.settings).labels
    assert (labels.image, labels.attributes, labels.group) == (
        "été 👗",
        ('a "b", c', "d\\e"),
        r"^(\w+)_",
    )
