"""The options of `score`, checked whenever they are made."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic.dataclasses import dataclass

from ..errors import ConfigError
from .scores_table import Format

IMAGE = "image"
"""Column of images where none is named."""


@dataclass(frozen=True)
class ScoreOptions:
    """How a table is read and written.

    Raises:
        ValidationError: of pydantic; see `score_options`.
    """

    image: Annotated[str, Field(min_length=1)] = IMAGE
    """Column of a Parquet file that holds the images."""
    name: str = ""
    """Column that names its rows; empty: found, see `parquet_source`."""
    format: Format = "long"
    """`wide` writes a column per attribute; see `scores_table`."""
    shards: Annotated[int, Field(ge=0)] = 0
    """Write a folder of so many files, `part-00000-of-00004.parquet`; 0: one file."""
    max_unreadable: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of images that may be unreadable before the scoring counts as failed."""
    resume: bool = True
    """Keep the rows that a killed scoring into the same output has left."""


def score_options(**given: Any) -> ScoreOptions:
    """Make the options from what a user gave.

    >>> score_options(shards=2).shards
    2

    Raises:
        ConfigError: one of them is of the wrong type or out of range.
    """
    try:
        return ScoreOptions(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"The option {first['loc'][0]} of a scoring is {first['input']!r}, but: {first['msg']}."
        ) from None
