"""The space a sweep searches: which settings vary, and between what. Read from TOML, checked like settings.

[training]
learning_rate = {low = 1e-4, high = 1e-1, log = true}
loss = ["weighted_bce", "focal"]
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeGuard

from .. import recipes
from ..config import Config
from ..config_file import checked
from ..errors import ConfigError

BUILT_IN = "sweep"
"""The name of the space that comes with aimonk."""

Value = bool | int | float | str
Settings = Mapping[str, Value]
"""`{"training.l2": 0.01}`: a value for each dimension of a space, in its order."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; with `log`, evenly on a logarithmic scale."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Value, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.values


Dimension = Range | Choice


@dataclass(frozen=True)
class Space:
    """Dimensions by the name of their setting."""

    dimensions: Mapping[str, Dimension]

    def starting(self, config: Config) -> Settings | None:
        """The settings as they stand, if they lie in the space."""
        flat = config.flat()
        inside = all(flat[name] in dimension for name, dimension in self.dimensions.items())
        return {name: flat[name] for name in self.dimensions} if inside else None

    def to_json(self) -> dict[str, Any]:
        """A plain object, equal for equal spaces."""
        return {name: dataclasses.asdict(dimension) for name, dimension in self.dimensions.items()}


def with_settings(config: Config, settings: Settings) -> Config:
    """The config with these settings instead of its own."""
    changed: dict[str, dict[str, Value]] = {}
    for name, value in settings.items():
        section, _, key = name.partition(".")
        changed.setdefault(section, {})[key] = value
    sections = {
        section: dataclasses.replace(getattr(config, section), **values)
        for section, values in changed.items()
    }
    return dataclasses.replace(config, **sections)


def read_space(path: str | Path, config: Config) -> Space:
    """Read and check a space around the settings that do not vary. `sweep` is the built-in one.

    Raises:
        ConfigError: the file is absent, not TOML or empty; a key is no setting, or one that features depend
            on; an end of a range or a choice is no value for it.
    """
    try:
        file = files(recipes) / "sweep.toml" if str(path) == BUILT_IN else Path(path)
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"There is no search space {path}; give an existing TOML file to --space."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The search space {path} is not readable TOML: {error}.") from None
    dimensions = {}
    for section, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{section!r} in {path} is not a section such as [training].")
        for key, given in table.items():
            name = f"{section}.{key}"
            _check_may_vary(name, config, path)
            dimensions[name] = _dimension(name, given, config, path)
    if not dimensions:
        raise ConfigError(f"The search space {path} names no setting; give at least one to search.")
    return Space(dimensions)


def _check_may_vary(name: str, config: Config, path: str | Path) -> None:
    if name not in config.flat():
        _check_value(name, None, config, path)  # says which names are known
    finetuned = config.training.mode == "finetune"
    sections = ("training", "finetune") if finetuned else ("training",)
    if name == "training.mode" or name.partition(".")[0] not in sections:
        also = "" if finetuned else "; those of [finetune] can with training.mode=finetune"
        raise ConfigError(
            f"{name} in {path} cannot vary in a sweep, only settings of [training] but its mode can{also}."
        )


def _dimension(name: str, given: Any, config: Config, path: str | Path) -> Dimension:
    dimension: Dimension
    if isinstance(given, list):
        dimension = Choice(_choices(name, given, path))
        values = dimension.values
    elif isinstance(given, dict):
        dimension = _range(name, given, config, path)
        values = (dimension.low, dimension.high)
    else:
        raise ConfigError(
            f"{name} in {path} is {given!r}, neither a range such as {{low = 0.1, high = 1.0}} nor a list; "
            f"a setting that does not vary is given by --set or --config."
        )
    for value in values:
        _check_value(name, value, config, path)
    return dimension


def _choices(name: str, given: list[Any], path: str | Path) -> tuple[Value, ...]:
    if len(given) < 2 or len(set(map(repr, given))) < len(given):
        raise ConfigError(f"{name} in {path} needs at least two different choices.")
    if not all(isinstance(value, Value) for value in given):
        raise ConfigError(f"The choices of {name} in {path} must be numbers, texts or true and false.")
    return tuple(given)


def _range(name: str, given: dict[str, Any], config: Config, path: str | Path) -> Range:
    current = config.flat()[name]
    if isinstance(current, bool) or not isinstance(current, int | float):
        raise ConfigError(f"{name} in {path} is not a number; list its choices instead of a range.")
    low, high, log = given.get("low"), given.get("high"), given.get("log", False)
    unknown = sorted(given.keys() - {"low", "high", "log"})
    if unknown or not (_is_number(low) and _is_number(high) and isinstance(log, bool)):
        raise ConfigError(
            f"The range of {name} in {path} takes numbers low and high and log = true or false"
            + (f", not {unknown[0]}." if unknown else ".")
        )
    if low >= high or (log and low <= 0):
        raise ConfigError(
            f"The range of {name} in {path} must go upwards{' from above 0' if log else ''}, "
            f"not from {low} to {high}."
        )
    return Range(low, high, log, isinstance(current, int))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_value(name: str, value: Any, config: Config, path: str | Path) -> None:
    settings = dataclasses.asdict(config)
    section, _, key = name.partition(".")
    settings.setdefault(section, {})[key] = value
    checked(settings, f"in {path}")
