"""The names of labels in a JSON value, in the shapes that annotation tools write."""

from __future__ import annotations

from collections.abc import Iterable

_NAME_KEYS = (
    "name", "label", "class", "class_name", "category", "category_name", "tag", "displayName", "title",
)  # fmt: skip
"""Keys under which an object says its name."""

_GRADED = ("value", "score", "confidence", "probability", "present")
"""Keys that say that an object's name may not be present."""


def names_in_json(value: object) -> list[str] | None:
    """Return the names in a value, or None if it holds anything else than names.

    >>> names_in_json(["red", "blue"]), names_in_json({"choices": ["red"]}), names_in_json([["Top", "Shirt"]])
    (['red', 'blue'], ['red'], ['Top/Shirt'])
    >>> names_in_json([{"x": 1, "rectanglelabels": ["car"]}]), names_in_json([{"name": "red"}, "blue"])
    (['car'], ['red', 'blue'])
    >>> names_in_json([0.1, 0.2]), names_in_json([{"x": 1}])
    (None, None)
    """
    if isinstance(value, dict):
        if isinstance(value.get("choices"), list):
            return names_in_json(value["choices"])
        return _of_object(value)
    if not isinstance(value, list | tuple | set):
        return None
    names: list[str] = []
    for part in value:
        found = _of_part(part)
        if found is None:
            return None
        names += found
    return list(dict.fromkeys(names))


def is_label_key(key: str) -> bool:
    """Return whether Label Studio stores names under a key, such as `choices` or `polygonlabels`.

    >>> is_label_key("rectanglelabels"), is_label_key("points")
    (True, False)
    """
    return key in ("choices", "taxonomy") or key.endswith("labels")


def _of_part(part: object) -> list[str] | None:
    if isinstance(part, dict):
        return _of_object(part)
    if isinstance(part, list | tuple):  # a taxonomy's path
        return ["/".join(map(str, part))] if part and all(isinstance(one, str) for one in part) else None
    if isinstance(part, bool) or part is None or isinstance(part, float):
        return None
    return [str(part).strip()]


def _of_object(value: dict[str, object]) -> list[str] | None:
    for key, held in value.items():
        if is_label_key(key) and isinstance(held, list) and held:
            return names_in_json(held)
    if any(key in value for key in _GRADED):
        return None
    return next((names for key in _NAME_KEYS if (names := _text(value.get(key)))), None)


def grade_of(value: dict[str, object]) -> tuple[str, object] | None:
    """Return the name of an object and what it says of it, or None if it is no such object.

    >>> grade_of({"name": "red", "value": 0}), grade_of({"label": "red", "score": 0.9}), grade_of({"x": 1})
    (('red', 0), ('red', 0.9), None)
    """
    names = next((names for key in _NAME_KEYS if (names := _text(value.get(key)))), None)
    grades = [value[key] for key in _GRADED if key in value]
    if names is None or len(grades) != 1 or isinstance(grades[0], list | dict):
        return None
    return names[0], grades[0]


def _text(value: object) -> list[str] | None:
    return [value.strip()] if isinstance(value, str) and value.strip() else None


def are_numbers(values: Iterable[object]) -> bool:
    """Return whether all parts of all lists are numbers, as those of boxes and embeddings are."""
    parts = [part for value in values if isinstance(value, list | tuple) for part in value]
    return bool(parts) and all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
