"""What a model package says of itself: the record in `attributes.json`. Shipped inside every package."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .decode_limits import TRAINING
from .request_limits import Limits
from .user_errors import ModelError

FORMAT = 2
"""Version of the package layout. Since 2 a package holds the digests of its files."""

GRAPH, GRAPH_WEIGHTS, RECORD, HEAD, SEEN, CARD, ENVIRONMENT = (
    "model.xml",
    "model.bin",
    "attributes.json",
    "head.npz",
    "seen.json",
    "model_card.md",
    "environment.txt",
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
    ap: float | None = None
    """Average precision on images that the model did not see."""
    auc: float | None = None
    """Area under the ROC curve on the same images."""


@dataclass(frozen=True)
class PackageInfo:
    """Everything but the weights. `weights`, `features` and `decoder` name where the graph came from."""

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
    training: dict[str, str | int | float] = field(default_factory=dict)
    """What it was trained on, for the model card, e.g. `{"images": 1518, "data digest": "0123..."}`."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of the software that made the package, e.g. `{"aimonk": "0.1.0", "openvino": "2026.4.1"}`."""
    licenses: dict[str, str] = field(default_factory=dict)
    """By software and `weights`; SPDX expressions where the source states one."""
    limits: Limits = Limits()
    """What a server of this model takes on at once."""
    max_pixels: int = TRAINING.max_pixels
    """Of an image that is scored in process: as many as in the training, see `decode_limits`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, in the order of the logits."""
        return tuple(attribute.name for attribute in self.attributes)

    def to_json(self) -> str:
        """The text of `attributes.json`; statistics that are not finite become null.

        Raises:
            ModelError: a threshold is not finite; such a model would answer nonsense.
        """
        for attribute in self.attributes:
            _check_threshold(attribute, "The model")
        record = {"format": FORMAT, **dataclasses.asdict(self)}
        for attribute in record["attributes"]:
            for statistic in ("prevalence", "ap", "auc"):
                attribute[statistic] = _finite(attribute[statistic])
        return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_info(folder: Path) -> PackageInfo:
    """Read `attributes.json` and check that the graph lies beside it.

    Raises:
        ModelError: the folder is not a model package, or not a whole one, or from another aimonk.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"There is no aimonk model package in {folder}: it has no {RECORD}.") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); fetch the package again.") from None
    info = _parse(record, path)
    for part in (GRAPH, GRAPH_WEIGHTS):
        if not (folder / part).is_file():
            raise ModelError(f"The model package {folder} is not whole: {part} is missing; fetch it again.")
    return info


def _parse(record: Any, path: Path) -> PackageInfo:
    try:
        _check_format(int(record.pop("format")), path)
        attributes = tuple(Attribute(**attribute) for attribute in record.pop("attributes"))
        height, width = record.pop("input_size")
        limits = Limits(**record.pop("limits", {}))
        info = PackageInfo(attributes, (int(height), int(width)), limits=limits, **record)
        for attribute in attributes:
            _check_threshold(attribute, str(path))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not the record of an aimonk model package ({error!r}).") from None
    if not attributes or info.precision not in ("f32", "bf16"):
        raise ModelError(
            f"{path} names no attribute, or the precision {info.precision!r}, which is neither f32 nor bf16."
        )
    return info


def _check_format(version: int, path: Path) -> None:
    if version > FORMAT:
        raise ModelError(
            f"{path} has the format {version}, newer than the {FORMAT} of this aimonk; upgrade aimonk."
        )
    if version < FORMAT:
        raise ModelError(
            f"{path} has the format {version}, older than the {FORMAT} of this aimonk; train the model again."
        )


def _check_threshold(attribute: Attribute, where: str) -> None:
    if not math.isfinite(attribute.threshold):
        raise ModelError(
            f"{where} has the threshold {attribute.threshold} for {attribute.name!r}; train it again."
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
