"""Where settings come from: a recipe or a TOML file, then named options, then `--set`."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from . import recipes
from .config import Config, FeaturesConfig
from .errors import ConfigError

RECIPES = ("default", "finetune", "notebook")
"""Files of `aimonk/recipes`, by name."""


LARGE = "large"
"""Table of a file with what it sets otherwise for large backbones: `[large.SECTION]`."""

IsLarge = Callable[[FeaturesConfig], bool]
"""Whether the backbone that is named is large, such as `backbones.large_backbone.is_large`."""

Given = Sequence[tuple[str, str]]
"""`section.key=value` assignments in order, each with the option that made it, such as `--set`."""

Origin = Callable[[str], str]
"""Where a setting was given, in words, such as `given by --set`; of no setting: where all of them were."""


def load_config(
    source: str | Path | None = None, assignments: Iterable[str] = (), is_large: IsLarge | None = None
) -> Config:
    """Read a recipe or a TOML file and apply `section.key=value` assignments in order.

    >>> load_config("notebook", ["training.epochs=3"]).training.epochs
    3

    Args:
        source: the name of a recipe, or the path of a TOML file; by default the recipe `default`.
        assignments: the value is TOML, else plain text.
        is_large: judges the backbone, where the file sets something otherwise for a large one.

    Raises:
        ConfigError: the file is absent or not TOML; a key is unknown; a value is of the wrong type,
            out of range, or contradicts another one.
    """
    return _loaded(source, [("--set", assignment) for assignment in assignments], is_large)


def chosen_config(
    source: str | Path | None,
    assignments: Iterable[str] = (),
    *,
    epochs: int | None = None,
    backbone: str = "",
    weights: str = "",
    experiment: str = "",
    register: str = "",
    is_large: IsLarge | None = None,
) -> Config:
    """Settings of a recipe or file, then the named options, then the assignments.

    `epochs` is the number of epochs of fine-tuning where the settings fine-tune, else of the head. For
    `is_large` see `load_config`.

    Raises:
        ConfigError: see `load_config`.
    """
    options = (
        ("--backbone", "features.backbone", backbone),
        ("--weights", "features.weights", weights),
        ("--experiment", "tracking.experiment", experiment),
        ("--register", "tracking.register", register),
    )
    given = [(option, f"{key}={json.dumps(value)}") for option, key, value in options if value]
    given += [("--set", assignment) for assignment in assignments]
    if epochs is not None:
        mode = _loaded(source, given).training.mode
        section = "finetune" if mode == "finetune" else "training"
        given.insert(0, ("--epochs", f"{section}.epochs={epochs}"))
    return _loaded(source, given, is_large)


def read_recipe(source: str | Path) -> dict[str, Any]:
    """Read the settings of a recipe or of a TOML file, unchecked.

    Raises:
        ConfigError: there is no such recipe or file, or it is not TOML.
    """
    try:
        if str(source) in RECIPES:
            return tomllib.loads(read_recipe_text(str(source)))
        return tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"There is no recipe or file {source}; give --config {', '.join(RECIPES)}, or a TOML file."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The settings in {source} are not readable TOML: {error}.") from None


def read_recipe_text(name: str) -> str:
    """Return the text of a built-in recipe, whose opening comment describes it."""
    return (files(recipes) / f"{name}.toml").read_text(encoding="utf-8")


def checked(settings: Mapping[str, Any], where: str = "of the run") -> Config:
    """Return the settings as a `Config`. `where` they stand is part of the message.

    Raises:
        ConfigError: see `load_config`.
    """
    return _checked(settings, lambda _: where)


def _checked(settings: Mapping[str, Any], origin: Origin) -> Config:
    try:
        return TypeAdapter(Config).validate_python(settings)
    except ValidationError as error:
        raise ConfigError(_sentence(error, origin)) from None


def _loaded(source: str | Path | None, given: Given, is_large: IsLarge | None = None) -> Config:
    settings = read_recipe(source) if source else {}
    assignments = [assignment for _, assignment in given]
    origin = partial(_origin, source, given)
    otherwise = settings.pop(LARGE, {})
    config = _checked(_assigned(settings, assignments), origin)
    if not otherwise or is_large is None or not is_large(config.features):
        return config
    return _checked(_assigned(_merged(settings, otherwise, source), assignments), origin)


def _origin(source: str | Path | None, given: Given, place: str) -> str:
    """The option that has the last word on a section or a setting, else the file.

    >>> _origin("x.toml", [("--epochs", "training.epochs=0")], "training.epochs")
    'given by --epochs'
    """
    for option, assignment in reversed(given):
        if f"{assignment.partition('=')[0].strip()}.".startswith(f"{place}."):
            return f"given by {option}"
    if source and place:
        return f"in {source}"
    options = " and ".join(dict.fromkeys(option for option, _ in given))
    return " or ".join([*([f"in {source}"] if source else []), *([f"given by {options}"] if options else [])])


def _assigned(settings: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """A copy of nested settings with assignments."""
    copy = {name: dict(group) if isinstance(group, dict) else group for name, group in settings.items()}
    for assignment in assignments:
        _assign(copy, assignment)
    return copy


def _merged(settings: Mapping[str, Any], otherwise: Any, source: str | Path | None) -> dict[str, Any]:
    """Nested settings with others over them."""
    if not isinstance(otherwise, dict) or not all(isinstance(keys, dict) for keys in otherwise.values()):
        raise ConfigError(f"The table {LARGE} in {source} must hold sections, such as [{LARGE}.features].")
    return {**settings, **{name: {**settings.get(name, {}), **keys} for name, keys in otherwise.items()}}


def _assign(settings: dict[str, Any], assignment: str) -> None:
    """Put one `section.key=value` into nested settings. The value is TOML, else plain text."""
    target, equals, text = assignment.partition("=")
    section, dot, key = target.strip().partition(".")
    if not (equals and dot and key):
        raise ConfigError(f"--set takes section.key=value, not {assignment!r}.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    group = settings.setdefault(section, {})
    if not isinstance(group, dict):
        raise ConfigError(f"{section!r} in the settings file is not a section, so {target} cannot be set.")
    group[key] = value


def _sentence(error: ValidationError, origin: Origin) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # a contradiction between settings
        return f"The settings {origin('')} contradict each other: {message}."
    # pydantic appends the alternatives of a union to the place
    known = [str(part) for part in first["loc"][:2]]
    place = ".".join(known)
    if first["type"] == "unexpected_keyword_argument":
        return f"There is no setting {place} {origin(place)}; {_nearest(first['loc'])}."
    return f"The setting {place} {origin(place)} is {first['input']!r}, but: {message}."


def _nearest(location: tuple[int | str, ...]) -> str:
    """Return what would have been right where an unknown name stands: the nearest name, else all of them.

    >>> _nearest(("training", "epoch")), _nearest(("finetune", "backbone"))
    ('the nearest is training.epochs', 'the nearest is features.backbone')
    """
    section, key = str(location[0]), str(location[-1])
    sections = [field.name for field in dataclasses.fields(Config)]
    if len(location) == 1:
        near = get_close_matches(section, sections, 1)
        return f"the nearest section is {near[0]}" if near else f"known sections are {', '.join(sections)}"
    settings = dataclasses.asdict(Config())
    own = list(settings.get(section, {}))
    if near := get_close_matches(key, own, 1, 0.7):
        return f"the nearest is {section}.{near[0]}"
    if elsewhere := [name for name in settings if key in settings[name]]:
        return f"the nearest is {elsewhere[0]}.{key}"
    return f"known are {', '.join(own)}"
