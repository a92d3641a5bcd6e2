"""COCO's annotations, as detection data sets have them: a category annotated on an image is a label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .raw_table import UNIT, Column, RawTable

_TECHNICAL = frozenset(("occluded", "truncated", "difficult", "rotation", "track_id", "keyframe", "outside"))
"""Attributes of annotations that describe the box, not what it shows."""


def is_coco(value: object) -> bool:
    """Return whether a JSON value has a list of COCO's images, and one of annotations or categories."""
    return (
        isinstance(value, dict) and "images" in value and bool({"annotations", "categories"} & value.keys())
    )


def is_coco_results(value: object) -> bool:
    """Return whether a JSON value is what a detector writes, which names images by number only."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and {"image_id", "category_id", "score"} <= one.keys() for one in value)
    )


def read_coco(path: Path, value: dict[str, Any], encoding: str) -> RawTable:
    """Return one row for each image, with the names of all categories annotated on it.

    Every image of a COCO file was looked at, so that a category without an annotation is absent. Roboflow
    adds a category above the others that no annotation uses; such a category is no attribute. Attributes of
    annotations, as CVAT and Fashionpedia have them, are labels of the image too. In LVIS an image says of
    some categories only whether they are there; of the others nothing is known.

    Raises:
        LabelsError: There are no annotations, or one names an image or a category that is not listed.
    """
    _check(path, value)
    try:
        names = {category["id"]: str(category["name"]) for category in value["categories"]}
        files = {image["id"]: _file(image) for image in value["images"]}
        more = {one["id"]: str(one["name"]) for one in value.get("attributes") or ()}
        found: dict[Any, set[str]] = {image: set() for image in files}
        described = False
        for annotation in value["annotations"]:
            found[annotation["image_id"]].add(names[annotation["category_id"]])
            attributes = set(_attributes(annotation, more))
            found[annotation["image_id"]] |= attributes
            described = described or bool(attributes)
        if any("neg_category_ids" in image for image in value["images"]):
            return _read_lvis(path, value, encoding, names, files, found)
    except (KeyError, TypeError) as error:
        raise LabelsError(
            f"{path} is not complete as COCO: {error.args[0]!r} is missing from its images, annotations or "
            "categories; export it again."
        ) from None
    columns = (
        Column.of("file_name", files.values()),
        Column.of("categories", (UNIT.join(sorted(tags)) for tags in found.values()), listed=True),
    )
    bare = sum(not tags for tags in found.values())
    notes = [f"{bare} images have no annotation: all their attributes are absent."] if bare else []
    if described:
        notes.append("An attribute of an annotation is present in an image if one of its annotations has it.")
    preset = {"image": "file_name", "tags": ("categories",)}
    return RawTable(path, "COCO", columns, encoding, preset=preset, notes=tuple(notes))


def _check(path: Path, value: dict[str, Any]) -> None:
    if "categories" not in value:
        what = "captions" if any("caption" in one for one in value["annotations"]) else "annotations"
        raise LabelsError(
            f"{path} is COCO with {what} but no categories, which leaves no labels: name another file."
        )
    if not value.get("annotations"):
        raise LabelsError(f"{path} is COCO without annotations, which leaves no labels: name another file.")


def _file(image: dict[str, Any]) -> str:
    return str(image["file_name"] if "file_name" in image else image.get("coco_url") or image["file_name"])


def _attributes(annotation: dict[str, Any], names: dict[Any, str]) -> Iterator[str]:
    """Return the names of what an annotation says besides its category."""
    for number in annotation.get("attribute_ids") or ():
        yield names[number]
    attributes = annotation.get("attributes")
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if name in _TECHNICAL or value in (None, "", False):
            continue
        if value is True or str(value).lower() == "true":
            yield name
        elif isinstance(value, str) and value.lower() != "false":
            yield f"{name}={value}"


def _read_lvis(
    path: Path,
    value: dict[str, Any],
    encoding: str,
    names: dict[Any, str],
    files: dict[Any, str],
    found: dict[Any, set[str]],
) -> RawTable:
    """Return one row for each image and category that was looked for in it."""
    rows = [(files[image], tag, "1") for image, tags in found.items() for tag in sorted(tags)]
    rows += [
        (files[image["id"]], names[category], "0")
        for image in value["images"]
        for category in image.get("neg_category_ids") or ()
    ]
    titles = ("file_name", "category", "present")
    columns = tuple(
        Column.of(title, cells) for title, cells in zip(titles, zip(*rows, strict=True), strict=True)
    )
    return RawTable(path, "LVIS", columns, encoding, preset={"image": "file_name", "tags": ("category",)})
