"""What a model package says of itself: the record in `attributes.json`. Shipped inside every package."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .errors import ModelError

FORMAT = 1
"""Version of the package layout; a reader refuses a newer one."""

GRAPH, GRAPH_WEIGHTS, KERAS, RECORD, HEAD, SEEN = (
    "model.xml",
    "model.bin",
    "model.keras",
    "attributes.json",
    "head.npz",
    "seen.json",
)


@dataclass(frozen=True)
class Attribute:
    """One attribute as it is served: `present` where the probability is at least `threshold`."""

    name: str
    threshold: float
    prevalence: float | None = None
    """Share of positives among the known labels; None when it is not known."""
    verdict: str | None = None
    """`learned`, `no evidence` or `too few`; None before any evaluation."""
    pos_weight: float | None = None
    """The weight of positives in the training's loss."""


@dataclass(frozen=True)
class PackageInfo:
    """Everything beside the weights. `weights`, `features` and `decoder` name where the graph came from."""

    attributes: tuple[Attribute, ...]
    input_size: tuple[int, int]
    """(height, width) in pixels."""
    precision: Literal["f32", "bf16"]
    """What the model was evaluated with, and is served with."""
    backbone: str
    weights: str = ""
    """Identity of the backbone's weights, e.g. a digest, or `none` for random ones."""
    features: str = ""
    """Key of the feature store whose vectors the head reads; empty for a fine-tuned model."""
    decoder: str = ""
    """Version of the image decoder the model was trained with."""
    calibrated: bool = False
    mode: Literal["frozen", "finetune"] = "frozen"
    headline: str = ""
    """The verdict in one line."""

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, in the order of the logits."""
        return tuple(attribute.name for attribute in self.attributes)

    def to_json(self) -> str:
        """The text of `attributes.json`; numbers that are not finite become null."""
        record = {"format": FORMAT, **dataclasses.asdict(self)}
        for attribute in record["attributes"]:
            attribute["prevalence"] = _finite(attribute["prevalence"])
        return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_info(folder: Path) -> PackageInfo:
    """Read `attributes.json` and check that the graph lies beside it.

    Raises:
        ModelError: the folder is not a model package, or not a whole one, or from a newer aimonk.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"There is no aimonk model package in {folder}: it has no {RECORD}.") from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The model package's {path} cannot be read ({error}); fetch the package anew."
        ) from None
    info = _parse(record, path)
    for part in (GRAPH, GRAPH_WEIGHTS):
        if not (folder / part).is_file():
            raise ModelError(f"The model package {folder} is not whole: {part} is missing; fetch it anew.")
    return info


def _parse(record: Any, path: Path) -> PackageInfo:
    try:
        version = int(record.pop("format"))
        if version > FORMAT:
            raise ModelError(
                f"{path} has the format {version}, newer than the {FORMAT} of this aimonk; upgrade aimonk."
            )
        attributes = tuple(Attribute(**attribute) for attribute in record.pop("attributes"))
        height, width = record.pop("input_size")
        info = PackageInfo(attributes=attributes, input_size=(int(height), int(width)), **record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not the record of an aimonk model package ({error!r}).") from None
    if not attributes or info.precision not in ("f32", "bf16"):
        raise ModelError(
            f"{path} names no attribute, or the precision {info.precision!r}, which is neither f32 nor bf16."
        )
    return info


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
