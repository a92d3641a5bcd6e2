"""The shapes in which a JSON file holds a table: records, columns, images by class, labels by image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import LabelsError
from .image_names import looks_like_image


def as_records(path: Path, value: Any) -> list[Any]:
    """Return one record for each image of a JSON value.

    >>> as_records(Path("labels.json"), {"a.jpg": {"red": 1}, "b.jpg": {"red": 0}})
    [{'image': 'a.jpg', 'red': 1}, {'image': 'b.jpg', 'red': 0}]
    >>> as_records(Path("labels.json"), {"image": ["a.jpg", "b.jpg"], "red": [1, 0]})
    [{'image': 'a.jpg', 'red': 1}, {'image': 'b.jpg', 'red': 0}]

    Raises:
        LabelsError: The value is no table, or it is not clear which of its lists is one.
    """
    if isinstance(value, list):
        return _with_header(value)
    if not isinstance(value, dict):
        raise _unknown(path, "a single value")
    value = value.get("_via_img_metadata", value)  # a project of the VGG Image Annotator
    keys, parts = list(value), list(value.values())
    if any(map(_is_file, parts)):
        return [value]
    if _mostly_images(keys):
        return [_named(image, labels) for image, labels in value.items()]
    if {"columns", "data"} <= value.keys() and isinstance(value["data"], list):  # pandas, orient="split"
        return _with_header([list(map(str, value["columns"])), *value["data"]])
    if {"classes", "labels"} <= value.keys() and isinstance(value["labels"], dict):  # FiftyOne
        return [_numbered(image, held, value["classes"]) for image, held in value["labels"].items()]
    if all(isinstance(part, dict) for part in parts) and any(_mostly_images(p.values()) for p in parts):
        rows = parts[0].keys()  # pandas, orient="columns"
        return [{key: part.get(row) for key, part in value.items()} for row in rows]
    if parts and all(isinstance(part, list) for part in parts):
        if all(_mostly_images(part) for part in parts):
            return [{"image": image, "class": name} for name, images in value.items() for image in images]
        if len({len(part) for part in parts}) == 1 and any(map(_mostly_images, parts)):
            return [dict(zip(keys, row, strict=True)) for row in zip(*parts, strict=True)]
    tables = [key for key, part in value.items() if _is_table(part)]
    if len(tables) == 1:
        return list(value[tables[0]])
    if len(tables) > 1:
        raise _unknown(path, f"the lists {', '.join(map(repr, tables))}")
    if parts and all(isinstance(part, dict) for part in parts):
        return [_named(image, labels) for image, labels in value.items()]
    if not any(isinstance(part, dict | list) for part in parts):
        return [value]
    raise _unknown(path, f"an object with the keys {', '.join(map(repr, keys[:5]))}")


def _unknown(path: Path, what: str) -> LabelsError:
    return LabelsError(
        f"{path} holds {what}, which is no table of labels that is known: give a list with one object for "
        "each image."
    )


def _with_header(rows: list[Any]) -> list[Any]:
    """Return lists below a list of names as objects; anything else as it is."""
    if len(rows) < 2 or not all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
        return rows
    names = rows[0] if all(isinstance(name, str) for name in rows[0]) else []
    if not names or any(map(looks_like_image, names)):
        names = ["image", *(f"attr{number}" for number in range(1, len(rows[0])))]
        return [dict(zip(names, row, strict=True)) for row in rows]
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _mostly_images(values: Any) -> bool:
    sample = [value for value in list(values)[:200] if isinstance(value, str)]
    return bool(sample) and 2 * sum(map(looks_like_image, sample)) > len(list(values)[:200])


def _named(image: str, labels: object) -> dict[str, object]:
    """Return the record of an image that a JSON object has as a key."""
    if isinstance(labels, dict):
        return labels if any(map(_is_file, labels.values())) else {"image": image, **labels}
    return {"image": image, "label": labels}


def _is_file(value: object) -> bool:
    return isinstance(value, str) and looks_like_image(value)


def _numbered(image: str, held: object, classes: Sequence[str]) -> dict[str, object]:
    """Return the record of an image whose labels are numbers of classes."""
    numbers = held if isinstance(held, list) else [held]
    named = [classes[n] for n in numbers if isinstance(n, int) and 0 <= n < len(classes)]
    return {"image": image, "label": named if len(named) == len(numbers) else None}
