"""Tasks go to Label Studio and come back as an export that `read_labels` understands."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

from aimonk.config import Config
from aimonk.data.dataset import read_dataset
from aimonk.data.labels.label_studio_tasks import (
    AnsweredImage,
    label_studio_tasks,
    labeling_interface,
)

ATTRIBUTES = ("belt", "A & B", 'so "called"')


def test_the_interface_offers_every_attribute() -> None:
    view = ElementTree.fromstring(labeling_interface(ATTRIBUTES))
    assert tuple(choice.get("value") for choice in view.iter("Choice")) == ATTRIBUTES
    (choices,) = view.iter("Choices")
    (picture,) = view.iter("Image")
    task = label_studio_tasks([AnsweredImage("a.jpg", ())], Path("photos"), "m")[0]
    result = task["predictions"][0]["result"][0]
    assert (choices.get("name"), choices.get("toName")) == (result["from_name"], result["to_name"])
    assert picture.get("name") == result["to_name"]
    assert picture.get("value") == "$image" and "image" in task["data"]


def test_answers_come_back_to_the_same_images(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    images = {"one two.png": ("belt",), "sub/100%.png": ("belt", "A & B"), "é#?.png": ()}
    for number, name in enumerate(images):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (90 * number, 40, 200 - 90 * number)).save(folder / name)
    answered = [AnsweredImage(name, present) for name, present in images.items()]
    tasks = json.loads(json.dumps(label_studio_tasks(answered, folder, "models:/m/1")))
    for task in tasks:  # an annotator accepts what is proposed
        task["annotations"] = [{"result": task["predictions"][0]["result"], "was_cancelled": False}]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    found = read_dataset(folder, tmp_path / "export.json", Config(), keep_unlearnable=True)
    shown = {
        name: tuple(a for a, target in zip(found.attributes, row, strict=True) if target == 1)
        for name, row in zip(found.names, found.targets.tolist(), strict=True)
    }
    assert {name: set(present) for name, present in shown.items()} == {
        name: set(present) for name, present in images.items()
    }
