from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from aimonk.config import Config, DataConfig, LabelsConfig
from aimonk.data.dataset import read_dataset
from aimonk.data.labels import read_labels, write_labels
from aimonk.errors import ImagesError, LabelsError

Photo = Callable[[int], Image.Image]


@pytest.fixture
def folder(tmp_path: Path, photo: Photo) -> Path:
    """Eight photos, `s0_0.png` to `s3_1.png`, of four subjects."""
    (tmp_path / "photos").mkdir()
    for number in range(8):
        photo(number).save(tmp_path / "photos" / f"s{number // 2}_{number % 2}.png")
    return tmp_path / "photos"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]))
    return path


def test_what_cannot_be_learned_is_left_out_with_its_reason(folder: Path, tmp_path: Path) -> None:
    cells = ["1,1,NA,1", "1,0,NA,1", "0,1,NA,0", "0,0,NA,0", "1,1,NA,0", "0,0,NA,0", "1,1,NA,0", "0,1,NA,0"]
    rows = [f"{name},{some}" for name, some in zip(names(folder), cells, strict=True)]
    labels = write(tmp_path / "labels.csv", "image,red,plain,empty,lesion", rows)
    data = read_dataset(folder, labels, Config())
    assert data.attributes == ("red", "plain", "lesion")
    assert [(one.name, one.reason) for one in data.unlearnable] == [("empty", "Every label is unknown.")]
    assert [counts.name for counts in data.counts] == ["red", "plain", "lesion"]
    assert len(data.audit.usable_attributes) == 4
    grouped = read_dataset(folder, labels, Config(labels=LabelsConfig(group="^(s.)_")))
    assert grouped.groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [one.name for one in grouped.unlearnable] == ["empty", "lesion"]
    assert "in one group" in grouped.unlearnable[1].reason
    everything = read_dataset(folder, labels, Config(), keep_unlearnable=True)
    assert everything.attributes == ("red", "plain", "empty", "lesion")


def test_nothing_to_learn_is_an_error(folder: Path, tmp_path: Path) -> None:
    labels = write(tmp_path / "labels.csv", "image,red", [f"{name},1" for name in names(folder)])
    with pytest.raises(LabelsError, match="None of the 1 attributes .* 'red': no image is labeled absent"):
        read_dataset(folder, labels, Config())


def test_copies_and_named_groups_are_joined(folder: Path, tmp_path: Path) -> None:
    (folder / "s1_0.png").write_bytes((folder / "s0_0.png").read_bytes())  # a copy in another subject
    rows = [f"{name},{at % 2},{name[:2]}" for at, name in enumerate(names(folder))]
    labels = write(tmp_path / "labels.csv", "image,red,subject", rows)
    data = read_dataset(folder, labels, Config(labels=LabelsConfig(group="subject")))
    assert data.groups.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert (data.read_as.group, data.read_as.groups) == ("subject", 4)
    assert data.attributes == ("red",)


def test_rows_that_mean_one_file_are_merged(folder: Path, tmp_path: Path) -> None:
    rows = [f"{name},{at % 2}" for at, name in enumerate(names(folder))]
    labels = write(tmp_path / "labels.csv", "image,red", [*rows, "./s0_0.png,1", "S0_1.PNG,1"])
    data = read_dataset(folder, labels, Config())
    assert len(data) == 8
    assert data.targets[:2].tolist() == [[-1], [1]]
    assert (data.read_as.rows, data.read_as.images, data.read_as.contradictions) == (10, 8, 1)


def test_an_expression_that_fits_nothing_is_an_error(folder: Path, tmp_path: Path) -> None:
    rows = [f"{name},{at % 2}" for at, name in enumerate(names(folder))]
    labels = write(tmp_path / "labels.csv", "image,red", rows)
    with pytest.raises(LabelsError, match="fits no image"):
        read_dataset(folder, labels, Config(labels=LabelsConfig(group="patient(.)")))


def test_the_cause_of_missing_images_is_named(folder: Path, tmp_path: Path) -> None:
    rows = [f"{name},{at % 2}" for at, name in enumerate(names(folder))]
    labels = write(tmp_path / "labels.csv", "image,red", [*rows, "s9_0.png,1", "/elsewhere/b.png,0"])
    with pytest.raises(ImagesError, match="'s9_0.png': not there; the nearest is s._0.png"):
        read_dataset(folder, labels, Config())
    lenient = Config(data=DataConfig(max_unusable=0.5))
    assert read_dataset(folder, labels, lenient).audit.missing == ("s9_0.png", "/elsewhere/b.png")
    (folder / "sub").mkdir()
    os.rename(folder / "s0_0.png", folder / "sub" / "x.png")
    (folder / "other").mkdir()
    os.link(folder / "sub" / "x.png", folder / "other" / "x.png")
    rows = ["x.png,1", *rows[1:]]
    with pytest.raises(
        ImagesError, match="'x.png' fits 2 files: other/x.png, sub/x.png; write the folder before"
    ):
        read_dataset(folder, write(tmp_path / "labels.csv", "image,red", rows), Config())


def test_a_refusal_says_what_is_lost_of_what(folder: Path, tmp_path: Path) -> None:
    rows = [f"{name},{at % 2}" for at, name in enumerate(names(folder))]
    lost = [*rows, "ghost.png,1", "ghoul.png,0"]
    labels = write(tmp_path / "labels.csv", "image,red", lost)
    with pytest.raises(
        ImagesError, match="^2 of the 10 images that .*labels.csv names are missing from .*photos"
    ):
        read_dataset(folder, labels, Config())
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    for sub in ("a", "b"):
        os.link(folder / "s0_0.png", folder / sub / "ghost.png")
        os.link(folder / "s0_1.png", folder / sub / "ghoul.png")
    with pytest.raises(
        ImagesError, match="Of the 10 image names .*, 2 are ambiguous in .*: 'ghost.png' fits 2 files"
    ):
        read_dataset(folder, labels, Config())
    none = write(tmp_path / "none.csv", "image,red", lost[8:])
    with pytest.raises(ImagesError, match="Of the 2 .*; write the folder before the name.$"):
        read_dataset(folder, none, Config())


def test_saved_labels_read_back_equal(folder: Path, tmp_path: Path) -> None:
    rows = [f"{name},{'red|big' if at % 2 else 'small'},{at // 2}" for at, name in enumerate(names(folder))]
    source = write(tmp_path / "tags.csv", "image,tags,camera", rows)
    data = read_dataset(folder, source, Config(labels=LabelsConfig(group="camera")))
    assert data.table is not None
    write_labels(data.table, tmp_path / "saved.csv")
    saved = read_labels(tmp_path / "saved.csv", LabelsConfig(group="group"))
    assert (saved.images, saved.attributes, saved.groups) == (
        data.table.images,
        ("big", "red", "small"),
        data.table.groups,
    )
    assert saved.targets.tolist() == data.table.targets.tolist()


def test_an_image_beyond_the_limit_on_pixels_cannot_be_used(folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "red").save(folder / "wide.png")
    rows = [f"{name},{at % 2}" for at, name in enumerate(names(folder))]
    labels = write(tmp_path / "labels.csv", "image,red", rows)
    assert len(read_dataset(folder, labels, Config())) == 9
    small = Config(data=DataConfig(max_pixels=59_999, max_unusable=0.2))
    found = read_dataset(folder, labels, small)
    assert len(found) == 8
    ((name, why),) = found.audit.unreadable
    assert name == "wide.png" and "300 x 200 pixels" in why and "59,999" in why
