"""COCO's annotations, as detection data sets have them: a category annotated on an image is a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .raw_table import UNIT, Column, RawTable


def is_coco(value: object) -> bool:
    """Return whether a JSON value has COCO's three lists."""
    return isinstance(value, dict) and {"images", "annotations", "categories"} <= value.keys()


def read_coco(path: Path, value: dict[str, Any], encoding: str) -> RawTable:
    """Return one row for each image, with the names of all categories annotated on it.

    Every image of a COCO file was looked at, so that a category without an annotation is absent. Roboflow
    adds a category above the others that no annotation uses; such a category is no attribute.

    Raises:
        LabelsError: An annotation names an image or a category that the file does not list.
    """
    try:
        names = {category["id"]: str(category["name"]) for category in value["categories"]}
        found: dict[Any, set[str]] = {image["id"]: set() for image in value["images"]}
        for annotation in value["annotations"]:
            found[annotation["image_id"]].add(names[annotation["category_id"]])
        files = [str(image["file_name"]) for image in value["images"]]
    except (KeyError, TypeError) as error:
        raise LabelsError(
            f"{path} is not complete as COCO: {error.args[0]!r} is missing from its images, annotations or "
            "categories; export it again."
        ) from None
    columns = (
        Column.of("file_name", files),
        Column.of("categories", (UNIT.join(sorted(tags)) for tags in found.values()), listed=True),
    )
    bare = sum(not tags for tags in found.values())
    notes = (f"{bare} images have no annotation: all their attributes are absent.",) if bare else ()
    preset = {"image": "file_name", "tags": ("categories",)}
    return RawTable(path, "COCO", columns, encoding, preset=preset, notes=notes)
